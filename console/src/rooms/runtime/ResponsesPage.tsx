import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { Outlet, useSearchParams } from 'react-router'
import { Tabs } from 'antd'
import { DataTable, type Column, type Filter } from '@/parts/DataTable'
import { Empty } from '@/parts/Empty'
import { EntityLink, placeOf } from '@/parts/EntityLink'
import { Page } from '@/parts/Page'
import { Time } from '@/parts/Time'
import { outcomeText, Undo } from './Respond'
import { isOpen, type Action, type Response } from './responses'
import './runtime.css'

const VIEWS = { isolations: '/isolations', quarantine: '/quarantine', responses: '/responses' } as const
type View = keyof typeof VIEWS
const ACTIONS: Action[] = ['kill', 'pause', 'unpause', 'stop', 'kill_container', 'isolate', 'release', 'quarantine', 'restore']

/** What is isolated and quarantined now, and everything that was ever done. */
export function ResponsesPage() {
  const { t } = useTranslation('runtime')
  const [words, setWords] = useSearchParams()
  const view: View = (Object.keys(VIEWS) as View[]).find((name) => name === words.get('view')) ?? 'isolations'
  return (
    <Page title={t('responses')} about={t('responsesAbout')}>
      <Tabs
        className="page-tabs"
        activeKey={view}
        onChange={(name) => setWords({ view: name })}
        items={(Object.keys(VIEWS) as View[]).map((name) => ({ key: name, label: t(`responsesView.${name}`) }))}
      />
      <List key={view} view={view} />
      <Outlet />
    </Page>
  )
}

function List({ view }: { view: View }) {
  const { t } = useTranslation('runtime')
  const columns: Column<Response>[] = useMemo(
    () => [
      { key: 'created', title: t('respond.when'), sort: 'created_at', width: 110, render: (row) => <Time at={row.created_at} /> },
      ...(view === 'responses' ? [{ key: 'action', title: t('respond.action'), width: 130, render: (row: Response) => <>{t(`respond.${row.action}.name`)} {row.dry_run && <span className="tag">{t('respond.dry')}</span>}</> }] : []),
      { key: 'target', title: view === 'quarantine' ? t('column.file') : t('respond.target'), width: 170, render: (row) => <code title={row.target}>{row.target || row.container_name}</code> },
      { key: 'container', title: t('column.container'), width: 150, render: (row) => (row.container_id ? <EntityLink kind="container" id={row.container_id}>{row.container_name || row.container_id.slice(0, 12)}</EntityLink> : <span className="quiet">{t('onHost')}</span>) },
      { key: 'host', title: t('column.host'), width: 110, render: (row) => row.host_name },
      { key: 'outcome', title: t('respond.outcome'), width: 190, render: (row) => <span className={isOpen(row) ? 'low' : row.state === 'failed' ? 'high' : 'good'}>{outcomeText(row, t)}</span> },
      { key: 'means', title: t('respond.means'), width: 140, render: (row) => (row.means ? t(`means.${row.means}`, { defaultValue: row.means }) : <span className="quiet">–</span>) },
      { key: 'by', title: t('respond.byWhom'), sort: 'created_by', width: 100, render: (row) => row.created_by },
      { key: 'alert', title: t('alert'), width: 80, render: (row) => (row.alert_id ? <EntityLink kind="alert" id={row.alert_id}>{t('respond.toAlert')}</EntityLink> : <span className="quiet">–</span>) },
      { key: 'undo', title: '', width: 110, align: 'right', render: (row) => <Undo response={row} small /> },
    ],
    [t, view],
  )
  const filters: Filter[] = useMemo(
    () =>
      view === 'responses'
        ? [
            { key: 'action', label: t('respond.action'), options: ACTIONS.map((value) => ({ value, label: t(`respond.${value}.name`) })) },
            { key: 'state', label: t('column.state'), options: ['waiting', 'running', 'done', 'failed'].map((value) => ({ value, label: t(`respond.state.${value}`) })) },
            { key: 'dry_run', label: t('respond.dry'), options: ['true', 'false'].map((value) => ({ value, label: t(value === 'true' ? 'respond.dryOnly' : 'respond.realOnly') })) },
            { key: 'alert_id', label: t('alert') },
            { key: 'container_id', label: t('column.containerId') },
          ]
        : [],
    [t, view],
  )
  return (
    <DataTable<Response>
      name={view}
      path={VIEWS[view]}
      columns={columns}
      filters={filters}
      sort="-created_at"
      idOf={(row) => row.id}
      linkOf={(row) => placeOf('response', row.id)}
      empty={<Empty title={t(`respond.none.${view}`)}>{t(`respond.noneNext.${view}`)}</Empty>}
    />
  )
}
