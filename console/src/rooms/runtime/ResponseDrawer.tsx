import { Alert as Note } from 'antd'
import { useTranslation } from 'react-i18next'
import { useParams } from 'react-router'
import { ApiError } from '@/api/client'
import { Copyable } from '@/parts/Copyable'
import { Drawer } from '@/parts/Drawer'
import { EntityLink } from '@/parts/EntityLink'
import { Facts, Section } from '@/parts/Facts'
import { Time } from '@/parts/Time'
import { outcomeText, Undo } from './Respond'
import { isOpen, useResponse, type Response } from './responses'
import './runtime.css'

export function ResponseDrawer() {
  const { id = '' } = useParams()
  const { t } = useTranslation('runtime')
  const query = useResponse(id)
  const response = query.data
  const gone = response === null ? new ApiError(404, t('respond.noSuch')) : null
  return (
    <Drawer list="/responses" query={{ ...query, error: query.error ?? gone }} title={response ? t(`respond.${response.action}.name`) : t('respond.one')}>
      {response && <Body response={response} />}
    </Drawer>
  )
}

function Body({ response }: { response: Response }) {
  const { t } = useTranslation('runtime')
  const more = Object.entries(response.data ?? {}).filter(([, value]) => value !== '' && value !== null && typeof value !== 'object')
  return (
    <>
      <Note
        showIcon
        type={isOpen(response) ? 'info' : response.state === 'failed' ? 'error' : 'success'}
        title={outcomeText(response, t)}
        description={response.message && response.state === 'failed' ? response.message : undefined}
        action={<Undo response={response} small />}
        style={{ marginBottom: 16 }}
      />
      <Section title={t('section.what')}>
        <Facts
          items={[
            [t('respond.action'), <span key="a">{t(`respond.${response.action}.name`)} {response.dry_run && <span className="tag">{t('respond.dry')}</span>}</span>],
            [t('respond.target'), response.target ? <Copyable key="t" text={response.target} /> : null],
            [t('column.container'), response.container_id ? <EntityLink key="c" kind="container" id={response.container_id}>{response.container_name || response.container_id.slice(0, 12)}</EntityLink> : undefined],
            [t('column.host'), <EntityLink key="h" kind="agent" id={response.agent_id}>{response.host_name}</EntityLink>],
            [t('respond.means'), response.means ? t(`means.${response.means}`, { defaultValue: response.means }) : null],
            [t('alert'), response.alert_id ? <EntityLink key="l" kind="alert" id={response.alert_id} /> : undefined],
            [t('respond.undoOf'), response.undo_of ? <EntityLink key="u" kind="response" id={response.undo_of} /> : undefined],
            [t('respond.undoneBy'), response.undone_by ? <EntityLink key="b" kind="response" id={response.undone_by} /> : undefined],
            [t('respond.byWhom'), response.created_by],
            [t('respond.when'), <Time key="w" at={response.created_at} />],
            [t('respond.finished'), <Time key="f" at={response.finished_at} />],
          ]}
        />
      </Section>
      {more.length > 0 && (
        <Section title={t('section.told')}>
          <Facts items={more.map(([key, value]) => [key, <code key={key}>{String(value)}</code>])} />
        </Section>
      )}
    </>
  )
}
