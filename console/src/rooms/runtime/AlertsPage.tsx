import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { Outlet } from 'react-router'
import { post } from '@/api/client'
import { DataTable, type Bulk, type Column, type Filter } from '@/parts/DataTable'
import { Empty } from '@/parts/Empty'
import { EntityLink, placeOf } from '@/parts/EntityLink'
import { Page } from '@/parts/Page'
import { SEVERITIES, Severity } from '@/parts/Severity'
import { Time } from '@/parts/Time'
import { number } from '@/shell/i18n'
import { CATEGORIES, RESULTS, addressText, titleOf, type Alert } from './data'
import { Result } from './Result'

export function useAlertColumns(): Column<Alert>[] {
  const { t } = useTranslation('runtime')
  return useMemo(
    () => [
      { key: 'severity', title: t('column.severity'), sort: 'severity', width: 96, render: (row) => <Severity name={row.severity} /> },
      { key: 'last_seen', title: t('column.lastSeen'), width: 100, sort: 'last_seen', render: (row) => <Time at={row.last_seen} /> },
      {
        key: 'title',
        title: t('column.title'),
        width: 250,
        render: (row) => (
          <span title={titleOf(row)}>
            {row.count > 1 && <b className="times">×{number(row.count)}</b>}
            {titleOf(row)}
          </span>
        ),
      },
      {
        key: 'container',
        title: t('column.container'),
        width: 160,
        render: (row) =>
          row.container.id ? (
            <EntityLink kind="container" id={row.container.id}>
              {row.container.name || row.container.id.slice(0, 12)}
            </EntityLink>
          ) : (
            <span className="quiet">{t('onHost')}</span>
          ),
      },
      { key: 'image', title: t('column.image'), width: 140, render: (row) => <EntityLink kind="image" id={row.container.image_id}>{row.container.image}</EntityLink> },
      { key: 'category', title: t('column.category'), width: 142, sort: 'category', render: (row) => t(`category.${row.category}`) },
      { key: 'host', title: t('column.host'), width: 80, sort: 'host_name', render: (row) => <EntityLink kind="host" id={row.host_id}>{row.host_name}</EntityLink> },
      { key: 'result', title: t('column.result'), width: 102, render: (row) => <Result alert={row} /> },
      { key: 'state', title: t('column.state'), width: 84, sort: 'state', render: (row) => t(`state.${row.state}`) },
      { key: 'count', title: t('column.count'), width: 72, sort: 'count', align: 'right', hidden: true, render: (row) => number(row.count) },
      { key: 'process', title: t('column.process'), width: 170, hidden: true, render: (row) => <code title={row.process.exe}>{row.process.exe}</code> },
      { key: 'peer', title: t('column.peer'), width: 150, hidden: true, render: (row) => <code>{peerOf(row)}</code> },
      { key: 'first_seen', title: t('column.firstSeen'), width: 120, sort: 'first_seen', hidden: true, render: (row) => <Time at={row.first_seen} /> },
    ],
    [t],
  )
}

/** The other end of what happened, wherever the evidence has it. */
export function peerOf(alert: Alert): string {
  const { peer, relay_peer, stdio } = alert.evidence
  return addressText(peer ?? relay_peer ?? stdio?.find((one) => one.peer)?.peer)
}

export function AlertsPage() {
  const { t } = useTranslation('runtime')
  const columns = useAlertColumns()
  const filters: Filter[] = useMemo(
    () => [
      { key: 'severity', label: t('column.severity'), options: SEVERITIES.filter((name) => name !== 'unknown').map((value) => ({ value, label: t(`shell:severity.${value}`) })) },
      { key: 'category', label: t('column.category'), options: CATEGORIES.map((value) => ({ value, label: t(`category.${value}`) })) },
      { key: 'state', label: t('column.state'), options: ['new', 'handled', 'ignored'].map((value) => ({ value, label: t(`state.${value}`) })) },
      { key: 'result', label: t('column.result'), options: RESULTS.map((value) => ({ value, label: t(`result.${value}`) })) },
      { key: 'rule', label: t('column.rule') },
      { key: 'container_id', label: t('column.containerId') },
      { key: 'host_id', label: t('column.hostId') },
    ],
    [t],
  )
  const bulk: Bulk[] = useMemo(
    () =>
      (['handled', 'ignored', 'new', 'delete'] as const).map((action) => ({
        key: action,
        label: t(`bulk.${action}`),
        danger: action === 'delete',
        run: (ids: string[]) => post('/alerts/bulk', { ids, action }),
      })),
    [t],
  )
  return (
    <Page title={t('alerts')} about={t('alertsAbout')}>
      <DataTable<Alert>
        name="alerts"
        path="/alerts"
        columns={columns}
        filters={filters}
        bulk={bulk}
        range
        sort="-last_seen"
        idOf={(row) => row.id}
        linkOf={(row) => placeOf('alert', row.id)}
        rowClass={(row) => (row.state === 'new' ? '' : 'done')}
        empty={<Empty title={t('noAlerts')}>{t('noAlertsNext')}</Empty>}
      />
      <Outlet />
    </Page>
  )
}
