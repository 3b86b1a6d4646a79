import { Space } from 'antd'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link, useParams } from 'react-router'
import { get } from '@/api/client'
import { Copyable } from '@/parts/Copyable'
import { DataTable } from '@/parts/DataTable'
import { Drawer } from '@/parts/Drawer'
import { Empty } from '@/parts/Empty'
import { EntityLink, placeOf } from '@/parts/EntityLink'
import { Facts, Section } from '@/parts/Facts'
import { SeverityCounts } from '@/parts/Severity'
import { Time } from '@/parts/Time'
import { ContainerResponses } from '@/rooms/runtime/Respond'
import { useAlertColumns } from '@/rooms/runtime/columns'
import type { Alert } from '@/rooms/runtime/data'
import { bytes, number } from '@/shell/i18n'
import { isGrave, outside, risks, short, SURVEY_MS, type ContainerDetail, type Port, type Process } from './data'
import { ContainerState } from './Marks'
import { usePortColumns } from './PortsPage'
import { useProcessColumns } from './ProcessesPage'

export function ContainerDrawer() {
  const { id = '' } = useParams()
  const { t } = useTranslation('assets')
  const query = useQuery({ queryKey: ['containers', 'one', id], queryFn: ({ signal }) => get<ContainerDetail>(`/containers/${encodeURIComponent(id)}`, signal) })
  const container = query.data
  return (
    <Drawer
      list="/containers"
      query={query}
      title={
        container ? (
          <Space>
            {container.name}
            <ContainerState state={container.state} />
          </Space>
        ) : (
          t('container')
        )
      }
      extra={container && <ContainerResponses container={container} />}
      tabs={
        container && [
          { key: 'configuration', label: t('tab.configuration'), children: <Configuration container={container} /> },
          { key: 'processes', label: `${t('processes')} ${number(container.process_count)}`, children: <Processes id={container.id} /> },
          { key: 'ports', label: t('ports'), children: <Ports id={container.id} /> },
          { key: 'alerts', label: t('tab.alerts'), children: <Alerts id={container.id} /> },
        ]
      }
    >
      {container && <Summary container={container} />}
    </Drawer>
  )
}

function Summary({ container }: { container: ContainerDetail }) {
  const { t } = useTranslation('assets')
  const scan = container.image_scan
  return (
    <Facts
      items={[
        [t('column.image'), <EntityLink key="i" kind="image" id={container.image_id}>{container.image}</EntityLink>],
        [t('column.host'), <EntityLink key="h" kind="host" id={container.host_id}>{container.host_name}</EntityLink>],
        [t('tab.alerts'), <Link key="a" to={`/alerts?container_id=${container.id}`}><SeverityCounts counts={container.alerts} /></Link>],
        [
          t('vulnerabilities'),
          scan?.judged ? (
            <Link key="v" to={`${placeOf('image', container.image_id)}?tab=vulnerabilities`}>
              <SeverityCounts counts={scan.vulnerabilities} />
            </Link>
          ) : (
            <Link key="v" to={placeOf('image', container.image_id)}>
              {scan?.scanned_at ? t('notJudged') : t('notScanned')}
            </Link>
          ),
        ],
        [t('column.created'), <Time key="c" at={container.created_at} />],
        [container.state === 'running' ? t('started') : t('finished'), <Time key="s" at={container.state === 'running' ? container.started_at : container.finished_at} />],
        [t('exitCode'), container.exit_code ?? undefined],
        [t('column.id'), <Copyable key="d" text={container.id} short={short(container.id)} />],
      ]}
    />
  )
}

function Configuration({ container }: { container: ContainerDetail }) {
  const { t } = useTranslation('assets')
  const found = risks(container)
  const text = (words: string[]) => (words.length ? <code>{words.join(' ')}</code> : null)
  const labels = Object.entries(container.labels)
  return (
    <>
      {found.length > 0 && (
        <Section title={t('section.risk')}>
          <ul>
            {found.map((name) => (
              <li key={name}>
                <strong className={isGrave(name) ? 'high' : 'medium'}>{t(`risk.${name}`)}</strong> {t(`riskAbout.${name}`)}
              </li>
            ))}
          </ul>
        </Section>
      )}
      <Section title={t('section.runs')}>
        <Facts
          items={[
            [t('command'), text([...container.entrypoint, ...container.command])],
            [t('workdir'), container.workdir ? <code key="w">{container.workdir}</code> : null],
            [t('column.user'), container.user || t('rootUser')],
            [t('pid'), container.pid || undefined],
            [t('restart'), container.restart_policy === 'no' ? t('never') : container.restart_policy || null],
            [t('column.pod'), container.pod ? `${container.pod_namespace}/${container.pod}` : undefined],
          ]}
        />
      </Section>
      <Section title={t('section.walls')}>
        <Facts
          items={[
            [t('column.privileged'), t(container.privileged ? 'shell:yes' : 'shell:no')],
            [t('added'), container.capabilities_added.join(', ') || null],
            [t('droppedCapabilities'), container.capabilities_dropped.join(', ') || null],
            [t('security'), text(container.security_options)],
            [t('readonly'), t(container.readonly_root ? 'shell:yes' : 'shell:no')],
            [t('memory'), container.memory_limit ? bytes(container.memory_limit) : t('unlimited')],
            [t('cpus'), container.cpu_limit ? number(container.cpu_limit) : t('unlimited')],
            [t('pids'), container.pids_limit ? number(container.pids_limit) : t('unlimited')],
            [t('network'), container.network_mode || null],
            [t('pidMode'), container.pid_mode || t('own')],
            [t('ipcMode'), container.ipc_mode || t('own')],
          ]}
        />
      </Section>
      <Section title={t('section.mounts')}>
        {container.mounts.length === 0 && <span className="quiet">{t('shell:none')}</span>}
        <ul className="rows">
          {container.mounts.map((mount) => (
            <li key={mount.destination}>
              <code className="grow" title={mount.source}>
                {mount.source || mount.name} → {mount.destination}
              </code>
              <span className={mount.rw ? '' : 'quiet'}>{t(mount.rw ? 'writable' : 'readable')}</span>
              <span className="quiet">{[mount.type, mount.propagation].filter(Boolean).join(' · ')}</span>
            </li>
          ))}
        </ul>
      </Section>
      <Section title={t('section.network')}>
        <Facts
          items={[
            ...container.networks.map((one): [string, React.ReactNode] => [one.name, <code key={one.name}>{[one.ip4, one.ip6].filter(Boolean).join(', ') || '–'}</code>]),
            ...container.ports.map((one): [string, React.ReactNode] => [
              `${one.container_port}/${one.proto}`,
              <code key={one.host_port}>{outside([one])}</code>,
            ]),
          ]}
        />
      </Section>
      <Section title={t('section.environment')}>
        <p className="quiet" style={{ marginTop: 0 }}>{t('environmentAbout')}</p>
        {container.env_names.length ? <code>{container.env_names.join('  ')}</code> : <span className="quiet">{t('shell:none')}</span>}
      </Section>
      {labels.length > 0 && (
        <Section title={t('section.labels')}>
          <Facts items={labels.map(([key, value]) => [key, <code key={key}>{value}</code>])} />
        </Section>
      )}
    </>
  )
}

function Processes({ id }: { id: string }) {
  const { t } = useTranslation('assets')
  const columns = useProcessColumns(true)
  return (
    <DataTable<Process>
      name="processes"
      path="/processes"
      every={SURVEY_MS}
      columns={columns}
      fixed={{ container_id: id }}
      inAddress={false}
      sort="pid"
      idOf={(row) => row.id}
      linkOf={(row) => placeOf('process', row.id)}
      empty={<Empty title={t('noProcesses')}>{t('noProcessesNext')}</Empty>}
    />
  )
}

function Ports({ id }: { id: string }) {
  const { t } = useTranslation('assets')
  const columns = usePortColumns(true)
  return (
    <DataTable<Port>
      name="ports"
      path="/ports"
      every={SURVEY_MS}
      columns={columns}
      fixed={{ container_id: id }}
      inAddress={false}
      sort="port"
      idOf={(row) => row.id}
      linkOf={(row) => placeOf('port', row.id)}
      empty={<Empty title={t('noPorts')} />}
    />
  )
}

const IN_CONTAINER = ['severity', 'title', 'category', 'result', 'count', 'last_seen']

function Alerts({ id }: { id: string }) {
  const { t } = useTranslation('assets')
  const columns = useAlertColumns().filter((column) => IN_CONTAINER.includes(column.key))
  return (
    <DataTable<Alert>
      name="alerts"
      path="/alerts"
      columns={columns}
      fixed={{ container_id: id }}
      inAddress={false}
      sort="-last_seen"
      idOf={(row) => row.id}
      linkOf={(row) => placeOf('alert', row.id)}
      empty={<Empty title={t('noAlerts')} />}
    />
  )
}
