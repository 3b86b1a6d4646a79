import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { Outlet } from 'react-router'
import { DataTable, type Column, type Filter } from '@/parts/DataTable'
import { Empty } from '@/parts/Empty'
import { EntityLink, placeOf } from '@/parts/EntityLink'
import { Page } from '@/parts/Page'
import { Time } from '@/parts/Time'
import { bytes } from '@/shell/i18n'
import { SURVEY_MS, type Process } from './data'

/** `inside`: for a list within one container, which needs no column for it. */
export function useProcessColumns(inside = false): Column<Process>[] {
  const { t } = useTranslation('assets')
  return useMemo(() => {
    const all: Column<Process>[] = [
      { key: 'pid', title: 'PID', sort: 'pid', width: 90, align: 'right', render: (row) => row.pid },
      { key: 'name', title: t('column.process'), sort: 'name', width: 150, render: (row) => row.name },
      { key: 'args', title: t('command'), width: 330, render: (row) => <code title={row.args.join(' ')}>{row.args.join(' ') || row.exe}</code> },
      { key: 'user', title: t('column.user'), sort: 'user', width: 100, render: (row) => row.user || row.uid },
      { key: 'container', title: t('column.container'), sort: 'container_name', width: 170, render: (row) => (row.container_id ? <EntityLink kind="container" id={row.container_id}>{row.container_name || row.container_id.slice(0, 12)}</EntityLink> : <span className="quiet">{t('onHost')}</span>) },
      { key: 'host', title: t('column.host'), sort: 'host_name', width: 130, render: (row) => <EntityLink kind="host" id={row.host_id}>{row.host_name}</EntityLink> },
      { key: 'exe', title: t('program'), sort: 'exe', width: 220, hidden: true, render: (row) => <code title={row.exe}>{row.exe}</code> },
      { key: 'memory', title: t('memory'), sort: 'memory', width: 100, align: 'right', render: (row) => bytes(row.memory) },
      { key: 'started', title: t('started'), sort: 'started_at', width: 120, render: (row) => <Time at={row.started_at} /> },
    ]
    return inside ? all.filter((column) => !['container', 'host'].includes(column.key)) : all
  }, [t, inside])
}

export function ProcessesPage() {
  const { t } = useTranslation('assets')
  const columns = useProcessColumns()
  const filters: Filter[] = [
    { key: 'container_id', label: t('where'), options: [{ value: '!', label: t('inContainers') }] },
    { key: 'name', label: t('column.process') },
    { key: 'user', label: t('column.user') },
    { key: 'container_name', label: t('column.container') },
    { key: 'host_name', label: t('column.host') },
  ]
  return (
    <Page title={t('processes')} about={t('processesAbout')}>
      <DataTable<Process>
        name="processes"
        path="/processes"
        every={SURVEY_MS}
        columns={columns}
        filters={filters}
        sort="-started_at"
        idOf={(row) => row.id}
        linkOf={(row) => placeOf('process', row.id)}
        empty={<Empty title={t('noProcesses')}>{t('noProcessesNext')}</Empty>}
      />
      <Outlet />
    </Page>
  )
}
