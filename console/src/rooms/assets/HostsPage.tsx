import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, Outlet } from 'react-router'
import { get } from '@/api/client'
import { DataTable, type Column } from '@/parts/DataTable'
import { Empty } from '@/parts/Empty'
import { placeOf } from '@/parts/EntityLink'
import { Page } from '@/parts/Page'
import { Time } from '@/parts/Time'
import type { Agent } from '@/rooms/agents/data'
import { AgentState } from '@/rooms/agents/State'
import { bytes, number } from '@/shell/i18n'
import type { Host } from './data'

export function HostsPage() {
  const { t } = useTranslation('assets')
  const columns: Column<Host>[] = useMemo(
    () => [
      { key: 'name', title: t('column.name'), sort: 'name', width: 180, render: (row) => row.name },
      { key: 'agent', title: 'Agent', width: 110, render: (row) => <Watch host={row} /> },
      { key: 'os', title: t('column.os'), sort: 'os', width: 220, render: (row) => <span title={row.os}>{row.os}</span> },
      { key: 'kernel', title: t('column.kernel'), width: 150, render: (row) => <code>{row.kernel}</code> },
      { key: 'runtimes', title: t('column.runtime'), width: 190, render: (row) => <Runtimes host={row} /> },
      {
        key: 'containers',
        title: t('containers'),
        sort: 'containers',
        width: 104,
        align: 'right',
        render: (row) => (
          <Link to={`/containers?host_name=${encodeURIComponent(row.name)}`} onClick={(event) => event.stopPropagation()}>
            {number(row.containers)}
          </Link>
        ),
      },
      { key: 'cpus', title: t('cpus'), width: 80, align: 'right', hidden: true, render: (row) => number(row.cpus) },
      { key: 'memory', title: t('memory'), width: 100, align: 'right', render: (row) => bytes(row.memory) },
      { key: 'addresses', title: t('addresses'), width: 180, hidden: true, render: (row) => <code>{row.addresses.join(', ')}</code> },
      { key: 'booted', title: t('booted'), width: 120, hidden: true, render: (row) => <Time at={row.booted_at} /> },
      { key: 'heard', title: t('heard'), width: 120, render: (row) => <Heard host={row} /> },
      { key: 'first_seen', title: t('firstSeen'), sort: 'first_seen', width: 120, hidden: true, render: (row) => <Time at={row.first_seen} /> },
    ],
    [t],
  )
  return (
    <Page title={t('hosts')} about={t('hostsAbout')}>
      <DataTable<Host>
        name="hosts"
        path="/hosts"
        columns={columns}
        filters={[{ key: 'os', label: t('column.os') }]}
        sort="name"
        idOf={(row) => row.id}
        linkOf={(row) => placeOf('host', row.id)}
        empty={
          <Empty title={t('noHosts')}>
            <Link to="/agents">{t('noHostsNext')}</Link>
          </Empty>
        }
      />
      <Outlet />
    </Page>
  )
}

/** The agents by id, asked once for all rows; `all` is false where there are more than one answer holds. */
function useAgents() {
  return useQuery({
    queryKey: ['agents', 'of hosts'],
    queryFn: ({ signal }) => get<{ items: Agent[]; next: string | null }>('/agents?limit=500', signal),
    select: ({ items, next }) => ({ byId: new Map(items.map((agent) => [agent.id, agent])), all: next === null }),
  }).data
}

/** Whether the host is watched; what is not known is neither called online nor gone. */
function Watch({ host }: { host: Host }) {
  const { t } = useTranslation('assets')
  const agents = useAgents()
  const agent = agents?.byId.get(host.agent_id)
  if (agent) return <AgentState agent={agent} />
  return agents?.all ? (
    <span className="high" title={t('noAgent')}>
      <span aria-hidden="true">○</span> {t('unwatched')}
    </span>
  ) : (
    <span className="quiet">–</span>
  )
}

function Heard({ host }: { host: Host }) {
  return <Time at={useAgents()?.byId.get(host.agent_id)?.last_seen ?? host.last_seen} />
}

/** No runtime, or one that does not answer, is said: then containers are not seen. */
export function Runtimes({ host }: { host: Host }) {
  const { t } = useTranslation('assets')
  if (host.runtimes.length === 0) return <span className="quiet">{t('noRuntime')}</span>
  return (
    <>
      {host.runtimes.map((one) => (
        <span key={one.name} className={one.reachable ? '' : 'high'} title={one.error}>
          {one.name} {one.version} {one.reachable ? '' : t('unreachable')}
        </span>
      ))}
    </>
  )
}
