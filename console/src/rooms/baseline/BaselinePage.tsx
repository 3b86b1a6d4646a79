import { PlayCircleOutlined } from '@ant-design/icons'
import { Alert, App, Button, Progress, Segmented, Skeleton, Tabs } from 'antd'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, Outlet, useNavigate, useParams, useSearchParams } from 'react-router'
import { post } from '@/api/client'
import { useMay } from '@/api/session'
import { DataTable, type Column, type Filter } from '@/parts/DataTable'
import { Empty } from '@/parts/Empty'
import { EntityLink } from '@/parts/EntityLink'
import { Failure, useExplain } from '@/parts/Failure'
import { Page } from '@/parts/Page'
import { SEVERITIES, Severity } from '@/parts/Severity'
import { Time } from '@/parts/Time'
import { number, percent, say } from '@/shell/i18n'
import { assetPlace, checkPlace, isOpen, OUTCOMES, pathOf, totalOf, useBenchmarks, useRun, type Asset, type Benchmark, type Check, type Job } from './data'
import { Bar, OutcomeCounts, OutcomeWord, Rate } from './Outcome'
import { Waivers } from './Waivers'

const VIEWS = ['check', 'asset', 'waivers'] as const

export function BaselinePage() {
  const { t } = useTranslation('baseline')
  const { benchmark: wanted } = useParams()
  const navigate = useNavigate()
  const query = useBenchmarks()
  const all = query.data?.items ?? []
  const one = wanted ? all.find((each) => each.id === wanted) : all[0]
  return (
    <Page title={t('baseline')} about={t('about')} actions={one && <RunNow benchmark={one} />}>
      {query.error && !query.data ? <Failure error={query.error} retry={() => void query.refetch()} /> : null}
      {query.isLoading && <Skeleton active paragraph={{ rows: 8 }} />}
      {all.length > 1 && (
        <Segmented
          style={{ marginBottom: 12 }}
          value={one?.id ?? ''}
          options={all.map((each) => ({ value: each.id, label: say(each.title) }))}
          onChange={(id) => navigate(`/baseline/${encodeURIComponent(id)}`)}
        />
      )}
      {query.data && !one && <Empty title={t('noSuch')}><Link to="/baseline">{t('toAll')}</Link></Empty>}
      {one && <Body key={one.id} benchmark={one} />}
      <Outlet />
    </Page>
  )
}

function Body({ benchmark }: { benchmark: Benchmark }) {
  const { t } = useTranslation('baseline')
  const [words, setWords] = useSearchParams()
  const view = VIEWS.find((name) => name === words.get('by')) ?? 'check'
  return (
    <>
      <Progression benchmark={benchmark} />
      <Head benchmark={benchmark} />
      <Tabs
        activeKey={view}
        onChange={(key) => setWords({ by: key })}
        items={VIEWS.map((key) => ({ key, label: t(`by.${key}`) }))}
      />
      {view === 'check' && <ByCheck benchmark={benchmark} />}
      {view === 'asset' && <ByAsset benchmark={benchmark} />}
      {view === 'waivers' && <Waivers benchmark={benchmark.id} />}
    </>
  )
}

function Head({ benchmark }: { benchmark: Benchmark }) {
  const { t } = useTranslation('baseline')
  const { counts, rate } = benchmark
  const total = totalOf(counts)
  const rest = total - counts.pass - counts.fail
  return (
    <section className="panel benchmark" data-test="benchmark">
      <div>
        <h2>
          {say(benchmark.title)} <span className="quiet">{benchmark.version}</span>
        </h2>
        <div className="figure">{rate === null ? '–' : percent(rate)}</div>
        <span className="quiet">
          {total > 0 ? t('rateAbout', { pass: number(counts.pass), judged: number(counts.pass + counts.fail) }) : t('notRun')}
        </span>
      </div>
      {total > 0 ? (
        <div>
          <Bar counts={counts} />
          <div className="legend">
            {OUTCOMES.map((name) => (
              <Link key={name} to={`/baseline/${encodeURIComponent(benchmark.id)}?by=check&sort=-${name}`}>
                <OutcomeWord name={name} /> <b>{number(counts[name])}</b>
              </Link>
            ))}
          </div>
        </div>
      ) : (
        <div className="quiet">{t('neverNext', { count: benchmark.checks })}</div>
      )}
      <div className="quiet" style={{ textAlign: 'right' }}>
        {total > 0 && <div>{t('notAssessedOf', { share: percent(rest / total), total: number(total) })}</div>}
        <div>{t('assets', { count: benchmark.assets, shown: number(benchmark.assets) })}</div>
        {benchmark.last_run && (
          <div>
            {t('lastRun')} <Time at={benchmark.last_run} />
          </div>
        )}
      </div>
    </section>
  )
}

function RunNow({ benchmark }: { benchmark: Benchmark }) {
  const { t } = useTranslation('baseline')
  const { message } = App.useApp()
  const explain = useExplain()
  const client = useQueryClient()
  const jobs = useRun(benchmark.id)
  const run = useMutation({
    mutationFn: () => post(`${pathOf(benchmark.id)}/run`),
    onSettled: async () => {
      await client.invalidateQueries({ queryKey: ['jobs'] })
      await client.invalidateQueries({ queryKey: ['baselines'] })
    },
    onError: (error) => void message.error(Object.values(explain(error)).filter(Boolean).join(': '), 8),
  })
  const running = Boolean(jobs.data?.some(isOpen))
  if (!useMay('operator')) return null
  return (
    <Button type="primary" icon={<PlayCircleOutlined />} loading={run.isPending || running} onClick={() => run.mutate()}>
      {running ? t('running') : t('run')}
    </Button>
  )
}

/** How far the newest run is on each node, and which could not be read. */
function Progression({ benchmark }: { benchmark: Benchmark }) {
  const { t } = useTranslation('baseline')
  const jobs = useRun(benchmark.id).data ?? []
  const open = jobs.filter(isOpen)
  const failed = jobs.filter((job) => job.state === 'failed')
  return (
    <>
      {failed.length > 0 && (
        <Alert
          type="error"
          showIcon
          style={{ marginBottom: 12 }}
          title={t('failedOn', { count: failed.length })}
          description={failed.slice(0, 10).map((job) => (
            <div key={job.id}>
              <b>{job.target}</b>: {job.error}
            </div>
          ))}
        />
      )}
      {open.length > 0 && (
        <section className="panel run" data-test="run">
          <b>{t('runningOn', { done: number(jobs.length - open.length), total: number(jobs.length) })}</b>
          <Progress percent={shareOf(jobs)} status="active" size="small" />
          <span className="quiet">{open.slice(0, 3).map((job) => `${job.target}: ${job.state === 'waiting' ? t('waiting') : job.message || t('collecting')}`).join(' · ')}</span>
        </section>
      )}
    </>
  )
}

const shareOf = (jobs: Job[]) => Math.round((jobs.reduce((sum, job) => sum + (isOpen(job) ? job.progress : 1), 0) / jobs.length) * 100)

function ByCheck({ benchmark }: { benchmark: Benchmark }) {
  const { t } = useTranslation('baseline')
  const columns: Column<Check>[] = useMemo(
    () => [
      { key: 'check', title: t('column.check'), sort: 'place', width: 96, render: (row) => <code>{row.check}</code> },
      { key: 'title', title: t('column.title'), sort: 'title', width: 360, render: (row) => <span title={say(row.title)}>{say(row.title)}</span> },
      { key: 'severity', title: t('column.severity'), sort: 'severity', width: 96, render: (row) => <Severity name={row.severity} /> },
      { key: 'kind', title: t('column.kind'), width: 120, render: (row) => t(`kind.${row.asset_kind}`, { defaultValue: row.asset_kind }) },
      { key: 'outcomes', title: t('column.outcomes'), sort: 'fail', width: 230, render: (row) => <OutcomeCounts counts={row.counts} /> },
      { key: 'level', title: t('column.level'), sort: 'level', width: 76, render: (row) => t('level', { level: row.level }) },
      { key: 'mappings', title: t('column.mappings'), width: 150, hidden: true, render: (row) => mapped(row.mappings) },
    ],
    [t],
  )
  const filters: Filter[] = useMemo(
    () => [
      { key: 'severity', label: t('column.severity'), options: SEVERITIES.filter((name) => name !== 'unknown').map((value) => ({ value, label: t(`shell:severity.${value}`) })) },
      { key: 'asset_kind', label: t('column.kind'), options: ['docker_host', 'container'].map((value) => ({ value, label: t(`kind.${value}`) })) },
      { key: 'level', label: t('column.level'), options: ['1', '2'].map((value) => ({ value, label: t('level', { level: value }) })) },
    ],
    [t],
  )
  return (
    <DataTable<Check>
      name="baselineChecks"
      path={`${pathOf(benchmark.id)}/checks`}
      columns={columns}
      filters={filters}
      sort={benchmark.last_run ? '-fail' : 'place'}
      idOf={(row) => row.check}
      linkOf={(row) => checkPlace(benchmark.id, row.check)}
      empty={<Empty title={t('noChecks')} />}
    />
  )
}

export const mapped = (mappings: Record<string, string[]>) =>
  Object.entries(mappings)
    .map(([name, ids]) => `${name} ${ids.join(', ')}`)
    .join(' · ')

function ByAsset({ benchmark }: { benchmark: Benchmark }) {
  const { t } = useTranslation('baseline')
  const columns: Column<Asset>[] = useMemo(
    () => [
      { key: 'name', title: t('column.asset'), sort: 'asset_name', width: 240, render: (row) => <span title={row.id}>{row.name}</span> },
      { key: 'kind', title: t('column.kind'), sort: 'asset_kind', width: 120, render: (row) => t(`kind.${row.kind}`, { defaultValue: row.kind }) },
      { key: 'host', title: t('column.host'), sort: 'host_name', width: 150, render: (row) => <EntityLink kind="host" id={row.host_id}>{row.host_name}</EntityLink> },
      { key: 'rate', title: t('column.rate'), width: 190, render: (row) => <Rate counts={row.counts} rate={row.rate} /> },
      { key: 'outcomes', title: t('column.outcomes'), sort: 'fail', width: 250, render: (row) => <OutcomeCounts counts={row.counts} /> },
      { key: 'judged', title: t('column.judged'), sort: 'judged_at', width: 110, render: (row) => <Time at={row.judged_at} /> },
    ],
    [t],
  )
  const filters: Filter[] = useMemo(
    () => [
      { key: 'asset_kind', label: t('column.kind'), options: ['docker_host', 'container'].map((value) => ({ value, label: t(`kind.${value}`) })) },
      { key: 'host_id', label: t('column.host') },
      { key: 'asset_id', label: t('column.asset') },
    ],
    [t],
  )
  return (
    <DataTable<Asset>
      name="baselineAssets"
      path={`${pathOf(benchmark.id)}/assets`}
      columns={columns}
      filters={filters}
      sort="-fail"
      idOf={(row) => row.id}
      linkOf={(row) => assetPlace(benchmark.id, row.id)}
      empty={<Empty title={t('notRun')}>{t('noAssetsNext')}</Empty>}
    />
  )
}
