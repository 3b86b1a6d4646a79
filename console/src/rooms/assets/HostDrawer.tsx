import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { useParams } from 'react-router'
import { get } from '@/api/client'
import { Copyable } from '@/parts/Copyable'
import { DataTable } from '@/parts/DataTable'
import { Drawer } from '@/parts/Drawer'
import { Empty } from '@/parts/Empty'
import { EntityLink, placeOf } from '@/parts/EntityLink'
import { Facts, Section } from '@/parts/Facts'
import { Time } from '@/parts/Time'
import type { Agent } from '@/rooms/agents/data'
import { AgentState, SensorState } from '@/rooms/agents/State'
import { bytes, number } from '@/shell/i18n'
import { useContainerColumns } from './ContainersPage'
import { short, type Container, type Host } from './data'
import { Runtimes } from './HostsPage'

export function HostDrawer() {
  const { id = '' } = useParams()
  const { t } = useTranslation('assets')
  const query = useQuery({ queryKey: ['hosts', 'one', id], queryFn: ({ signal }) => get<Host & { agent: Agent | null }>(`/hosts/${encodeURIComponent(id)}`, signal) })
  const host = query.data
  return (
    <Drawer list="/hosts" query={query} title={host?.name ?? t('host')}>
      {host && (
        <>
          <Section title={t('section.machine')}>
            <Facts
              items={[
                [t('column.os'), host.os],
                [t('column.kernel'), <code key="k">{host.kernel}</code>],
                [t('architecture'), host.architecture],
                [t('cpus'), number(host.cpus)],
                [t('memory'), bytes(host.memory)],
                [t('cgroup'), host.cgroup ? `v${host.cgroup}` : null],
                [t('addresses'), <code key="a">{host.addresses.join(', ')}</code>],
                [t('booted'), <Time key="b" at={host.booted_at} />],
                [t('column.runtime'), <Runtimes key="r" host={host} />],
                [t('images'), number(host.images)],
                [t('column.id'), <Copyable key="i" text={host.id} short={short(host.id)} />],
              ]}
            />
          </Section>
          <Section title={t('section.agent')}>
            {host.agent ? (
              <Facts
                items={[
                  ['Agent', <EntityLink key="g" kind="agent" id={host.agent.id}>{host.agent.name}</EntityLink>],
                  [t('column.state'), <AgentState key="s" agent={host.agent} />],
                  [t('sensor'), <SensorState key="n" agent={host.agent} />],
                  [t('heard'), <Time key="t" at={host.agent.last_seen} />],
                ]}
              />
            ) : (
              <span className="high">{t('noAgent')}</span>
            )}
          </Section>
          <Section title={t('containers')}>
            <Containers id={host.id} />
          </Section>
        </>
      )}
    </Drawer>
  )
}

const ON_HOST = ['state', 'name', 'image', 'risk', 'created']

function Containers({ id }: { id: string }) {
  const { t } = useTranslation('assets')
  const columns = useContainerColumns().filter((column) => ON_HOST.includes(column.key))
  return (
    <DataTable<Container>
      name="containers"
      path="/containers"
      columns={columns}
      fixed={{ host_id: id }}
      inAddress={false}
      sort="-created_at"
      idOf={(row) => row.id}
      linkOf={(row) => placeOf('container', row.id)}
      empty={<Empty title={t('noContainers')} />}
    />
  )
}
