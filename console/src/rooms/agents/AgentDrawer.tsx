import { Alert, App, Button, Popconfirm, Space } from 'antd'
import { useIsMutating, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { useNavigate, useParams } from 'react-router'
import { get, remove } from '@/api/client'
import { useMay } from '@/api/session'
import { Copyable } from '@/parts/Copyable'
import { Drawer } from '@/parts/Drawer'
import { EntityLink } from '@/parts/EntityLink'
import { Facts, Section } from '@/parts/Facts'
import { useExplain } from '@/parts/Failure'
import { Time } from '@/parts/Time'
import { bytes, number, percent } from '@/shell/i18n'
import type { Agent } from './data'
import { ProtectionSection } from './Protection'
import { AgentState, SensorState } from './State'

const sum = (counts?: Record<string, number>) => Object.values(counts ?? {}).reduce((total, one) => total + one, 0)

export function AgentDrawer() {
  const { id = '' } = useParams()
  // While it is being deleted nobody asks for it any more.
  const leaving = useIsMutating({ mutationKey: ['agents', 'delete', id] }) > 0
  const query = useQuery({
    queryKey: ['agents', 'one', id],
    queryFn: ({ signal }) => get<Agent>(`/agents/${encodeURIComponent(id)}`, signal),
    refetchInterval: 15_000,
    enabled: !leaving,
  })
  const agent = query.data
  return (
    <Drawer
      list="/agents"
      query={query}
      title={
        <Space>
          {agent?.name ?? id}
          {agent && <AgentState agent={agent} />}
        </Space>
      }
      extra={agent && <Delete agent={agent} />}
    >
      {agent && <Body agent={agent} />}
    </Drawer>
  )
}

function Body({ agent }: { agent: Agent }) {
  const { t } = useTranslation('agents')
  const { sensor, spool } = agent
  const wrong: [string, string][] = [
    ...(sensor.state === 'on' ? [] : [[t(`sensor.${sensor.state}`), sensor.reason ?? ''] as [string, string]]),
    ...(agent.conflicts ? [[t('conflicts'), t('conflictsNext')] as [string, string]] : []),
    ...(agent.degrade ? [[t(`degrade.${agent.degrade}`), agent.degrade_reason] as [string, string]] : []),
    ...(spool.error ? [[t('spoolError'), spool.error] as [string, string]] : []),
    ...agent.runtimes.filter((one) => !one.reachable).map((one): [string, string] => [t('runtimeAway', { name: one.name }), one.error ?? '']),
    ...agent.errors.map((text): [string, string] => [t('error'), text]),
  ]
  return (
    <>
      {wrong.map(([title, text]) => (
        <Alert key={title + text} type="warning" showIcon title={title} description={text || undefined} style={{ marginBottom: 10 }} />
      ))}
      <Section title={t('section.who')}>
        <Facts
          items={[
            [t('column.host'), <EntityLink key="h" kind="host" id={agent.host_id}>{agent.name}</EntityLink>],
            [t('column.version'), agent.version],
            [t('column.address'), <code key="a">{agent.address}</code>],
            [t('column.enrolled'), <Time key="e" at={agent.enrolled_at} />],
            [t('column.lastSeen'), <Time key="l" at={agent.last_seen} />],
            [t('certificate'), <Time key="c" at={agent.certificate_expires_at} />],
            [t('id'), <Copyable key="i" text={agent.id} />],
            [t('plan'), agent.plan_version ? <code key="p">{agent.plan_version.slice(0, 19)}</code> : null],
          ]}
        />
      </Section>
      <ProtectionSection agent={agent} />
      <Section title={t('section.cost')}>
        <Facts
          items={[
            [t('column.cpu'), `${percent(agent.cpu, 2)} ${t('ofCore')}`],
            [t('column.rss'), `${bytes(agent.rss)} ${t('ofBudget')}`],
            [t('column.degrade'), t(`degrade.${agent.degrade}`)],
          ]}
        />
      </Section>
      <Section title={t('section.sensor')}>
        <Facts
          items={[
            [t('column.sensor'), <SensorState key="s" agent={agent} />],
            [t('programs'), sensor.programs?.length ? sensor.programs.join(', ') : null],
            [t('events'), sensor.events === undefined ? undefined : number(sensor.events)],
            [t('lostCritical'), sensor.dropped ? number(sensor.dropped['critical'] ?? 0) : undefined],
            [t('lostBulk'), sensor.dropped ? number(sensor.dropped['bulk'] ?? 0) : undefined],
            [t('throttled'), sensor.throttled === undefined ? undefined : number(sensor.throttled)],
            [t('processes'), sensor.processes === undefined ? undefined : number(sensor.processes)],
            [t('runtimes'), agent.runtimes.length ? agent.runtimes.map((one) => `${one.name} ${one.reachable ? '✓' : '✗'}`).join(', ') : t('noRuntime')],
          ]}
        />
      </Section>
      <Section title={t('section.spool')}>
        <Facts
          items={[
            [t('waiting'), spool.items === undefined ? null : number(spool.items)],
            [t('size'), bytes(spool.bytes)],
            [t('spoolDropped'), number(sum(spool.dropped))],
            [t('rejected'), number(agent.rejected)],
          ]}
        />
      </Section>
    </>
  )
}

function Delete({ agent }: { agent: Agent }) {
  const { t } = useTranslation('agents')
  const { message } = App.useApp()
  const explain = useExplain()
  const client = useQueryClient()
  const navigate = useNavigate()
  const drop = useMutation({
    mutationKey: ['agents', 'delete', agent.id],
    mutationFn: () => remove(`/agents/${encodeURIComponent(agent.id)}`),
    onSuccess: async () => {
      void message.success(t('deleted', { name: agent.name }))
      await navigate('/agents', { flushSync: true })
      await client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[1] !== 'one' })
    },
    onError: (error) => void message.error(Object.values(explain(error)).filter(Boolean).join(': ')),
  })
  if (!useMay('admin')) return null
  return (
    <Popconfirm
      title={t('deleteAsk', { name: agent.name })}
      description={<div style={{ maxWidth: 320 }}>{t('deleteAbout')}</div>}
      okText={t('delete')}
      okButtonProps={{ danger: true }}
      cancelText={t('shell:cancel')}
      onConfirm={() => drop.mutateAsync()}
    >
      <Button danger size="small" loading={drop.isPending}>
        {t('delete')}
      </Button>
    </Popconfirm>
  )
}
