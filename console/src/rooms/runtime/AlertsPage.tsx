import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { Outlet, useLocation, useSearchParams } from 'react-router'
import { post } from '@/api/client'
import { DataTable, type Bulk, type Column, type Filter } from '@/parts/DataTable'
import { Empty } from '@/parts/Empty'
import { placeOf } from '@/parts/EntityLink'
import { Page } from '@/parts/Page'
import { SEVERITIES } from '@/parts/Severity'
import { number } from '@/shell/i18n'
import { useAlertColumns, useEngineColumns } from './columns'
import { CATEGORIES, ENGINES, RESULTS, useSummary, type Alert } from './data'
import { Head } from './Head'
import { Watch } from './Watch'
import './runtime.css'

export function AlertsPage() {
  const { t } = useTranslation('runtime')
  const columns = useAlertColumns()
  return (
    <Page title={t('alerts')} about={t('alertsAbout')}>
      <Alerts category="" columns={columns} />
    </Page>
  )
}

/** One of the engines: the same list with the columns that its alerts have. */
export function EnginePage() {
  const { t } = useTranslation('runtime')
  const { pathname } = useLocation()
  const category = Object.keys(ENGINES).find((name) => ENGINES[name] === pathname.split('/')[2]) ?? ''
  const columns = useEngineColumns(category)
  return (
    <Page title={t(`category.${category}`)} about={t(`engine.${category}`)}>
      <Alerts category={category} columns={columns} />
    </Page>
  )
}

function Alerts({ category, columns }: { category: string; columns: Column<Alert>[] }) {
  const { t } = useTranslation('runtime')
  const [words] = useSearchParams()
  const fresh = useSummary(category).data?.new
  const filters: Filter[] = useMemo(
    () => [
      {
        key: 'state',
        label: t('column.state'),
        tabs: t('state.all'),
        options: ['new', 'handled', 'ignored'].map((value) => ({ value, label: value === 'new' && fresh ? `${t('state.new')} ${number(fresh)}` : t(`state.${value}`) })),
      },
      { key: 'severity', label: t('column.severity'), options: SEVERITIES.filter((name) => name !== 'unknown').map((value) => ({ value, label: t(`shell:severity.${value}`) })) },
      ...(category ? [] : [{ key: 'category', label: t('column.category'), options: CATEGORIES.map((value) => ({ value, label: t(`category.${value}`) })) }]),
      { key: 'result', label: t('column.result'), options: RESULTS.map((value) => ({ value, label: t(`result.${value}`) })) },
      { key: 'rule', label: t('column.rule') },
      { key: 'image', label: t('column.image') },
      { key: 'container_id', label: t('column.containerId') },
      { key: 'host_id', label: t('column.hostId') },
    ],
    [t, category, fresh],
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
  const fixed = useMemo(() => (category ? { category } : undefined), [category])
  return (
    <>
      <Watch />
      <Head category={category} />
      <DataTable<Alert>
        name="alerts"
        remember={category ? `alerts.${category}` : 'alerts'}
        path="/alerts"
        columns={columns}
        filters={filters}
        fixed={fixed}
        bulk={bulk}
        range
        sort="-last_seen"
        idOf={(row) => row.id}
        linkOf={(row) => (category ? `/runtime/${ENGINES[category]}/${encodeURIComponent(row.id)}` : placeOf('alert', row.id))}
        rowClass={(row) => (row.state === 'new' ? '' : 'done')}
        empty={<Empty title={t(words.get('state') === 'new' ? 'noneNew' : 'noAlerts')}>{category ? t(`tryOut.${category}`) : t('noAlertsNext')}</Empty>}
      />
      <Outlet />
    </>
  )
}
