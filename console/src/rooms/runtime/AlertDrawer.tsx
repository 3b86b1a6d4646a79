/** One alert, in the order a responder asks: what happened, is it stopped, by which process, what else, what to do. */
import { MoreOutlined } from '@ant-design/icons'
import { App, Button, Dropdown, Input, Popconfirm, Space } from 'antd'
import { useIsMutating, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useLocation, useNavigate, useParams, useSearchParams } from 'react-router'
import { get, patch, remove } from '@/api/client'
import { useMay } from '@/api/session'
import { Copyable } from '@/parts/Copyable'
import { Drawer } from '@/parts/Drawer'
import { EntityLink } from '@/parts/EntityLink'
import { Facts, Section } from '@/parts/Facts'
import { useExplain } from '@/parts/Failure'
import { Severity } from '@/parts/Severity'
import { Time } from '@/parts/Time'
import { textOf, titleOf, type Alert } from './data'
import { EvidenceFacts } from './Evidence'
import { techniqueName, techniquePlace } from './mitre'
import { RespondMenu } from './Respond'
import { Sentence } from './Sentence'
import { TimelineOf } from './TimelineOf'
import { Tree } from './Tree'
import { WaiveAlert } from './Waive'
import './runtime.css'

/** The list that the drawer stands beside: the engine's own, or all. */
const useList = () => useLocation().pathname.split('/').slice(0, -1).join('/')

export function AlertDrawer() {
  const { id = '' } = useParams()
  const { t } = useTranslation('runtime')
  const list = useList()
  // While it is being deleted nobody asks for it any more.
  const leaving = useIsMutating({ mutationKey: ['alerts', 'delete', id] }) > 0
  const query = useQuery({ queryKey: ['alerts', 'one', id], queryFn: ({ signal }) => get<Alert>(`/alerts/${encodeURIComponent(id)}`, signal), enabled: !leaving })
  const alert = query.data
  return (
    <Drawer
      list={list}
      query={query}
      title={
        alert ? (
          <Space>
            <Severity name={alert.severity} />
            <span>{titleOf(alert)}</span>
          </Space>
        ) : (
          t('alert')
        )
      }
    >
      {alert && (
        <>
          <Actions key={alert.id} alert={alert} list={list} />
          <Body alert={alert} />
        </>
      )}
    </Drawer>
  )
}

function Body({ alert }: { alert: Alert }) {
  const { t } = useTranslation('runtime')
  const { container } = alert
  return (
    <>
      <Sentence alert={alert} />
      {(textOf(alert, 'why') || textOf(alert, 'advice')) && (
        <div className="why-todo">
          {textOf(alert, 'why') && (
            <Section title={t('section.why')}>
              <p>{textOf(alert, 'why')}</p>
            </Section>
          )}
          {textOf(alert, 'advice') && (
            <Section title={t('section.todo')}>
              <p>{textOf(alert, 'advice')}</p>
            </Section>
          )}
        </div>
      )}
      {(alert.process.exe || alert.ancestors.length > 0) && (
        <Section title={t('section.chain')}>
          <Tree alert={alert} />
        </Section>
      )}
      <Section title={t('section.evidence')}>
        <EvidenceFacts alert={alert} />
      </Section>
      <Section title={t('section.where')}>
        <Facts
          items={[
            [t('column.container'), container.id ? <EntityLink key="c" kind="container" id={container.id}>{container.name || container.id.slice(0, 12)}</EntityLink> : t('onHost')],
            [t('column.image'), container.id ? <EntityLink key="i" kind="image" id={container.image_id}>{container.image}</EntityLink> : undefined],
            [t('pod'), container.pod ? `${container.namespace}/${container.pod}` : undefined],
            [t('column.host'), <EntityLink key="h" kind="host" id={alert.host_id}>{alert.host_name}</EntityLink>],
            [t('agent'), <EntityLink key="a" kind="agent" id={alert.agent_id}>{t('agentOf', { host: alert.host_name })}</EntityLink>],
            [t('digest'), container.image_digest ? <Copyable key="d" text={container.image_digest} short={container.image_digest.slice(0, 26)} /> : undefined],
            [t('privileged'), container.privileged ? <span key="p" className="high">{t('shell:yes')}</span> : undefined],
          ]}
        />
      </Section>
      <Section title={t('section.alert')}>
        <Facts
          items={[
            [t('column.category'), t(`category.${alert.category}`)],
            [t('column.rule'), <EntityLink key="rule" kind="rule" id={alert.rule} />],
            ['MITRE ATT&CK', alert.mitre.length ? <Mitre key="m" ids={alert.mitre} /> : undefined],
            [t('column.firstSeen'), <Time key="first" at={alert.first_seen} />],
            [t('column.lastSeen'), <Time key="last" at={alert.last_seen} />],
            [t('column.state'), alert.state === 'new' ? t('state.new') : `${t(`state.${alert.state}`)} · ${alert.handled_by ?? ''}`],
            [t('remark'), alert.remark || undefined],
          ]}
        />
      </Section>
      <Section title={t(container.id ? 'section.timeline' : 'section.timelineHost')}>
        <TimelineOf alert={alert} />
      </Section>
    </>
  )
}

export function Mitre({ ids }: { ids: string[] }) {
  return (
    <>
      {ids.map((id) => (
        <div key={id}>
          <a href={techniquePlace(id)} target="_blank" rel="noreferrer">
            {id} {techniqueName(id)}
          </a>
        </div>
      ))}
    </>
  )
}

function Actions({ alert, list }: { alert: Alert; list: string }) {
  const { t } = useTranslation('runtime')
  const { message, modal } = App.useApp()
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
      await navigate({ pathname: list, search: words.toString() }, { flushSync: true })
      await client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] === 'alerts' && queryKey[1] !== 'one' })
    },
    onError: failed,
  })
  if (!useMay('operator')) return null
  const states = (['handled', 'ignored', 'new'] as const).filter((state) => state !== alert.state)
  const askDelete = () =>
    modal.confirm({ title: t('deleteAsk'), content: t('deleteAbout'), okText: t('bulk.delete'), okButtonProps: { danger: true }, cancelText: t('shell:cancel'), onOk: () => drop.mutateAsync().catch(() => undefined) })
  return (
    <div className="actions">
      {states.map((state) => (
        <Popconfirm
          key={state}
          icon={null}
          title={t(`bulk.${state}`)}
          description={<Input.TextArea rows={2} style={{ width: 260 }} placeholder={t('remarkHint')} value={remark} onChange={(event) => setRemark(event.target.value)} maxLength={2000} />}
          okText={t(`bulk.${state}`)}
          cancelText={t('shell:cancel')}
          onConfirm={() => mark.mutateAsync(state).catch(() => undefined)}
        >
          <Button size="small" type={state === 'handled' ? 'primary' : 'default'} loading={mark.isPending && mark.variables === state}>
            {t(`bulk.${state}`)}
          </Button>
        </Popconfirm>
      ))}
      <WaiveAlert alert={alert} />
      <RespondMenu alert={alert} />
      <Dropdown trigger={['click']} menu={{ items: [{ key: 'delete', danger: true, label: t('bulk.delete'), onClick: () => void askDelete() }] }}>
        <Button size="small" type="text" icon={<MoreOutlined />} aria-label={t('moreActions')} />
      </Dropdown>
    </div>
  )
}
