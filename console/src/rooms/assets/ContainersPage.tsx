import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { Outlet } from 'react-router'
import { Copyable } from '@/parts/Copyable'
import { DataTable, type Column, type Filter } from '@/parts/DataTable'
import { Empty } from '@/parts/Empty'
import { EntityLink, placeOf } from '@/parts/EntityLink'
import { Page } from '@/parts/Page'
import { Time } from '@/parts/Time'
import { number } from '@/shell/i18n'
import { short, type Container } from './data'
import { ContainerState, Risks } from './Marks'

export function useContainerColumns(): Column<Container>[] {
  const { t } = useTranslation('assets')
  return useMemo(
    () => [
      { key: 'state', title: t('column.state'), sort: 'state', width: 106, render: (row) => <ContainerState state={row.state} /> },
      { key: 'name', title: t('column.name'), sort: 'name', width: 210, render: (row) => <span title={row.name}>{row.name}</span> },
      { key: 'image', title: t('column.image'), sort: 'image', width: 220, render: (row) => <EntityLink kind="image" id={row.image_id}>{row.image}</EntityLink> },
      { key: 'host', title: t('column.host'), sort: 'host_name', width: 140, render: (row) => <EntityLink kind="host" id={row.host_id}>{row.host_name}</EntityLink> },
      { key: 'risk', title: t('column.risk'), width: 190, render: (row) => <Risks container={row} /> },
      { key: 'processes', title: t('column.processes'), sort: 'process_count', width: 104, align: 'right', render: (row) => number(row.process_count) },
      { key: 'user', title: t('column.user'), width: 90, render: (row) => row.user || 'root' },
      { key: 'pod', title: t('column.pod'), width: 160, hidden: true, render: (row) => (row.pod ? `${row.pod_namespace}/${row.pod}` : '–') },
      { key: 'runtime', title: t('column.runtime'), width: 100, hidden: true, render: (row) => row.runtime },
      { key: 'id', title: t('column.id'), width: 150, hidden: true, render: (row) => <Copyable text={row.id} short={short(row.id)} /> },
      { key: 'created', title: t('column.created'), sort: 'created_at', width: 120, render: (row) => <Time at={row.created_at} /> },
    ],
    [t],
  )
}

export function ContainersPage() {
  const { t } = useTranslation('assets')
  const columns = useContainerColumns()
  const filters: Filter[] = useMemo(
    () => [
      { key: 'state', label: t('column.state'), options: ['running', 'paused', 'restarting', 'exited', 'created', 'dead'].map((value) => ({ value, label: t(`state.${value}`) })) },
      { key: 'privileged', label: t('column.privileged'), options: ['true', 'false'].map((value) => ({ value, label: t(value === 'true' ? 'risk.privileged' : 'notPrivileged') })) },
      { key: 'image', label: t('column.image') },
      { key: 'host_name', label: t('column.host') },
      { key: 'image_id', label: t('column.imageId') },
    ],
    [t],
  )
  return (
    <Page title={t('containers')} about={t('containersAbout')}>
      <DataTable<Container>
        name="containers"
        path="/containers"
        columns={columns}
        filters={filters}
        sort="-created_at"
        idOf={(row) => row.id}
        linkOf={(row) => placeOf('container', row.id)}
        rowClass={(row) => (row.state === 'running' ? '' : 'done')}
        empty={
          <Empty title={t('noContainers')}>
            {t('noContainersNext')} <code>docker run -d --name web nginx</code>
          </Empty>
        }
      />
      <Outlet />
    </Page>
  )
}
