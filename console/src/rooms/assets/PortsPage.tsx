import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { Outlet, useParams } from 'react-router'
import { get } from '@/api/client'
import { DataTable, type Column, type Filter } from '@/parts/DataTable'
import { Drawer } from '@/parts/Drawer'
import { Empty } from '@/parts/Empty'
import { EntityLink, placeOf } from '@/parts/EntityLink'
import { Facts } from '@/parts/Facts'
import { Page } from '@/parts/Page'
import { Time } from '@/parts/Time'
import { outside, SURVEY_MS, type Port } from './data'
import { Exposure } from './Marks'

/** `inside`: for a list within one container, which needs no column for it. */
export function usePortColumns(inside = false): Column<Port>[] {
  const { t } = useTranslation('assets')
  return useMemo(() => {
    const all: Column<Port>[] = [
      { key: 'port', title: t('column.port'), sort: 'port', width: 90, align: 'right', render: (row) => row.port },
      { key: 'proto', title: t('column.proto'), sort: 'proto', width: 80, render: (row) => row.proto },
      { key: 'exposure', title: t('column.exposure'), sort: 'exposure', width: 150, render: (row) => <Exposure port={row} /> },
      { key: 'address', title: t('column.address'), width: 130, render: (row) => <code>{row.address}</code> },
      { key: 'public', title: t('column.public'), width: 190, render: (row) => (outside(row.public) ? <code title={outside(row.public)}>{outside(row.public)}</code> : <span className="quiet">–</span>) },
      { key: 'process', title: t('column.process'), sort: 'process', width: 150, render: (row) => <span title={row.exe}>{row.process || '–'}</span> },
      { key: 'user', title: t('column.user'), width: 100, render: (row) => row.user },
      { key: 'container', title: t('column.container'), sort: 'container_name', width: 170, render: (row) => (row.container_id ? <EntityLink kind="container" id={row.container_id}>{row.container_name || row.container_id.slice(0, 12)}</EntityLink> : <span className="quiet">{t('onHost')}</span>) },
      { key: 'host', title: t('column.host'), sort: 'host_name', width: 130, render: (row) => <EntityLink kind="host" id={row.host_id}>{row.host_name}</EntityLink> },
      { key: 'first_seen', title: t('firstSeen'), sort: 'first_seen', width: 120, hidden: true, render: (row) => <Time at={row.first_seen} /> },
    ]
    return inside ? all.filter((column) => !['container', 'host'].includes(column.key)) : all
  }, [t, inside])
}

export function PortsPage() {
  const { t } = useTranslation('assets')
  const columns = usePortColumns()
  const filters: Filter[] = [
    { key: 'exposure', label: t('column.exposure'), options: ['host', 'container', 'local'].map((value) => ({ value, label: t(`exposure.${value}`) })) },
    { key: 'proto', label: t('column.proto'), options: ['tcp', 'tcp6', 'udp', 'udp6'].map((value) => ({ value, label: value })) },
    { key: 'port', label: t('column.port') },
    { key: 'process', label: t('column.process') },
    { key: 'host_name', label: t('column.host') },
  ]
  return (
    <Page title={t('ports')} about={t('portsAbout')}>
      <DataTable<Port>
        name="ports"
        path="/ports"
        every={SURVEY_MS}
        columns={columns}
        filters={filters}
        sort="port"
        idOf={(row) => row.id}
        linkOf={(row) => placeOf('port', row.id)}
        empty={<Empty title={t('noPorts')} />}
      />
      <Outlet />
    </Page>
  )
}

export function PortDrawer() {
  const { id = '' } = useParams()
  const { t } = useTranslation('assets')
  const query = useQuery({ queryKey: ['ports', 'one', id], queryFn: ({ signal }) => get<Port>(`/ports/${encodeURIComponent(id)}`, signal) })
  const port = query.data
  return (
    <Drawer list="/ports" query={query} title={port ? `${port.proto} ${port.port}` : t('column.port')}>
      {port && (
        <Facts
          items={[
            [t('column.exposure'), <Exposure key="x" port={port} />],
            [t('column.address'), <code key="a">{outside([{ host_ip: port.address, host_port: port.port }])}</code>],
            [t('column.public'), outside(port.public) || null],
            [t('column.process'), `${port.process} (PID ${port.pid})`],
            [t('program'), <code key="e">{port.exe || '–'}</code>],
            [t('column.user'), port.user],
            [t('column.container'), port.container_id ? <EntityLink key="c" kind="container" id={port.container_id}>{port.container_name}</EntityLink> : t('onHost')],
            [t('column.host'), <EntityLink key="h" kind="host" id={port.host_id}>{port.host_name}</EntityLink>],
            [t('firstSeen'), <Time key="t" at={port.first_seen} />],
          ]}
        />
      )}
    </Drawer>
  )
}
