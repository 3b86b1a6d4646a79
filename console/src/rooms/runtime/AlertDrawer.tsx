/** One alert, in the order a responder asks: what, where, is it stopped, by which process, what to do. */
import { App, Button, Input, Popconfirm, Space } from 'antd'
import { useIsMutating, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate, useParams, useSearchParams } from 'react-router'
import { get, patch, remove } from '@/api/client'
import { useMay } from '@/api/session'
import { Copyable } from '@/parts/Copyable'
import { Drawer } from '@/parts/Drawer'
import { EntityLink } from '@/parts/EntityLink'
import { Facts, Section } from '@/parts/Facts'
import { useExplain } from '@/parts/Failure'
import { Severity } from '@/parts/Severity'
import { Time } from '@/parts/Time'
import { number } from '@/shell/i18n'
import { peerOf } from './AlertsPage'
import { Chain } from './Chain'
import { addressText, textOf, titleOf, type Alert } from './data'
import { Result } from './Result'

export function AlertDrawer() {
  const { id = '' } = useParams()
  const { t } = useTranslation('runtime')
  // While it is being deleted nobody asks for it any more.
  const leaving = useIsMutating({ mutationKey: ['alerts', 'delete', id] }) > 0
  const query = useQuery({ queryKey: ['alerts', 'one', id], queryFn: ({ signal }) => get<Alert>(`/alerts/${encodeURIComponent(id)}`, signal), enabled: !leaving })
  const alert = query.data
  return (
    <Drawer
      list="/alerts"
      query={query}
      title={
        alert ? (
          <Space>
            <Severity name={alert.severity} />
            {titleOf(alert)}
          </Space>
        ) : (
          t('alert')
        )
      }
      extra={alert && <Actions alert={alert} />}
    >
      {alert && <Body alert={alert} />}
    </Drawer>
  )
}

function Body({ alert }: { alert: Alert }) {
  const { t } = useTranslation('runtime')
  const { container } = alert
  return (
    <>
      {textOf(alert, 'why') && <p style={{ marginTop: 0 }}>{textOf(alert, 'why')}</p>}
      <Section title={t('section.what')}>
        <Facts
          items={[
            [t('column.category'), t(`category.${alert.category}`)],
            [t('column.result'), <Result key="result" alert={alert} />],
            [t('column.peer'), peerOf(alert) ? <Copyable text={peerOf(alert)} /> : undefined],
            [t('column.lastSeen'), <Time key="last" at={alert.last_seen} />],
            [t('column.firstSeen'), <Time key="first" at={alert.first_seen} />],
            [t('column.count'), number(alert.count)],
            [t('column.rule'), <EntityLink key="rule" kind="rule" id={alert.rule} />],
            ['ATT&CK', alert.mitre.length ? alert.mitre.join(', ') : undefined],
            [t('column.state'), alert.state === 'new' ? t('state.new') : `${t(`state.${alert.state}`)} · ${alert.handled_by ?? ''}`],
            [t('remark'), alert.remark || undefined],
          ]}
        />
      </Section>
      <Section title={t('section.where')}>
        <Facts
          items={[
            [t('column.container'), container.id ? <EntityLink key="c" kind="container" id={container.id}>{container.name || container.id.slice(0, 12)}</EntityLink> : t('onHost')],
            [t('column.image'), container.id ? <EntityLink key="i" kind="image" id={container.image_id}>{container.image}</EntityLink> : undefined],
            [t('pod'), container.pod ? `${container.namespace}/${container.pod}` : undefined],
            [t('column.host'), <EntityLink key="h" kind="host" id={alert.host_id}>{alert.host_name}</EntityLink>],
            [t('digest'), container.image_digest ? <Copyable key="d" text={container.image_digest} short={container.image_digest.slice(0, 26)} /> : undefined],
            [t('privileged'), container.privileged ? t('shell:yes') : undefined],
          ]}
        />
      </Section>
      {(alert.process.exe || alert.ancestors.length > 0) && (
        <Section title={t('section.chain')}>
          <Chain alert={alert} />
        </Section>
      )}
      <Section title={t('section.evidence')}>
        <Evidence alert={alert} />
      </Section>
      {textOf(alert, 'advice') && (
        <Section title={t('section.todo')}>
          <p style={{ margin: 0, whiteSpace: 'pre-line' }}>{textOf(alert, 'advice')}</p>
        </Section>
      )}
    </>
  )
}

const SHOWN_ELSEWHERE = new Set(['fields', 'stdio', 'peer', 'relay_peer', 'file', 'kind', 'result', 'reason'])

function Evidence({ alert }: { alert: Alert }) {
  const { t } = useTranslation('runtime')
  const { evidence } = alert
  const more = Object.entries(evidence).filter(([key]) => !SHOWN_ELSEWHERE.has(key))
  const fields = Object.entries(evidence.fields ?? {})
  return (
    <>
      <Facts
        items={[
          [t('event'), evidence.kind],
          [t('file'), evidence.file?.path ? <code key="f">{evidence.file.path}</code> : undefined],
          ...(evidence.stdio ?? []).map((one): [string, React.ReactNode] => [
            t(`stdio.${one.fd}`),
            <code key={one.fd}>
              {one.type}
              {one.peer ? ` ${one.outgoing === false ? '←' : '→'} ${addressText(one.peer)}` : ''}
            </code>,
          ]),
          ...more.map(([key, value]): [string, React.ReactNode] => [key, <code key={key}>{typeof value === 'string' ? value : JSON.stringify(value)}</code>]),
        ]}
      />
      {fields.length > 0 && (
        <details style={{ marginTop: 10 }}>
          <summary className="quiet">{t('fields')}</summary>
          <Facts items={fields.map(([key, value]) => [key, <code key={key}>{String(value)}</code>])} />
        </details>
      )}
    </>
  )
}

function Actions({ alert }: { alert: Alert }) {
  const { t } = useTranslation('runtime')
  const { message } = App.useApp()
  const explain = useExplain()
  const client = useQueryClient()
  const navigate = useNavigate()
  const [words] = useSearchParams()
  const [remark, setRemark] = useState(alert.remark)
  const failed = (error: unknown) => void message.error(Object.values(explain(error)).filter(Boolean).join(': '))
  const fresh = () => client.invalidateQueries({ queryKey: ['alerts'] })
  const mark = useMutation({
    mutationFn: (state: Alert['state']) => patch(`/alerts/${encodeURIComponent(alert.id)}`, { state, remark }),
    onSuccess: async (_, state) => {
      void message.success(t(`marked.${state}`))
      await fresh()
    },
    onError: failed,
  })
  const drop = useMutation({
    mutationKey: ['alerts', 'delete', alert.id],
    mutationFn: () => remove(`/alerts/${encodeURIComponent(alert.id)}`),
    onSuccess: async () => {
      void message.success(t('deleted'))
      await navigate({ pathname: '/alerts', search: words.toString() }, { flushSync: true })
      await client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] === 'alerts' && queryKey[1] !== 'one' })
    },
    onError: failed,
  })
  if (!useMay('operator')) return null
  const states = (['handled', 'ignored', 'new'] as const).filter((state) => state !== alert.state)
  return (
    <Space>
      {states.map((state) => (
        <Popconfirm
          key={state}
          icon={null}
          title={t(`bulk.${state}`)}
          description={<Input.TextArea rows={2} style={{ width: 260 }} placeholder={t('remarkHint')} value={remark} onChange={(event) => setRemark(event.target.value)} maxLength={2000} />}
          okText={t(`bulk.${state}`)}
          cancelText={t('shell:cancel')}
          onConfirm={() => mark.mutateAsync(state)}
        >
          <Button size="small" type={state === 'handled' ? 'primary' : 'default'} loading={mark.isPending && mark.variables === state}>
            {t(`bulk.${state}`)}
          </Button>
        </Popconfirm>
      ))}
      <Popconfirm
        title={t('deleteAsk')}
        description={t('deleteAbout')}
        okText={t('bulk.delete')}
        okButtonProps={{ danger: true }}
        cancelText={t('shell:cancel')}
        onConfirm={() => drop.mutateAsync()}
      >
        <Button size="small" danger loading={drop.isPending}>
          {t('bulk.delete')}
        </Button>
      </Popconfirm>
    </Space>
  )
}
