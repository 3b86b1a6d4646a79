/** Results with what was seen and where: the failures first, page after page. */
import { Button, Select, Skeleton } from 'antd'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { get, query as asQuery, type Page } from '@/api/client'
import { Empty } from '@/parts/Empty'
import { Failure } from '@/parts/Failure'
import { Severity } from '@/parts/Severity'
import { Time } from '@/parts/Time'
import { number, say } from '@/shell/i18n'
import { assetPlace, checkPlace, OUTCOMES, pathOf, type Counts, type Evidence, type Outcome, type Result } from './data'
import { OutcomeWord } from './Outcome'
import { Waive } from './Waive'

/** Evidence that is not the place of a fact: in the API's words, and in ours. */
const SPECIAL: Record<string, string> = { 'breaks the check': 'evidence.offender', 'declared and real differ': 'evidence.differ' }

type Filter = { check: string } | { asset_id: string; host_id: string }

export function Results({ benchmark, filter, counts }: { benchmark: string; filter: Filter; counts: Counts }) {
  const { t } = useTranslation('baseline')
  const [outcome, setOutcome] = useState<Outcome | ''>('')
  const list = useInfiniteQuery({
    queryKey: ['baselines', 'results', benchmark, filter, outcome],
    queryFn: ({ pageParam, signal }) => get<Page<Result>>(`${pathOf(benchmark)}/results${asQuery({ ...filter, outcome, sort: 'outcome', limit: 50, cursor: pageParam })}`, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
  })
  if (list.error && !list.data) return <Failure error={list.error} retry={() => void list.refetch()} />
  if (!list.data) return <Skeleton active />
  const results = list.data.pages.flatMap((page) => page.items)
  const total = OUTCOMES.reduce((sum, name) => sum + counts[name], 0)
  return (
    <>
      <Select
        size="small"
        value={outcome}
        onChange={setOutcome}
        aria-label={t('column.outcomes')}
        popupMatchSelectWidth={false}
        options={[
          { value: '' as const, label: `${t('allOutcomes')} (${number(total)})` },
          ...OUTCOMES.map((name) => ({ value: name, label: `${t(`outcome.${name}`)} (${number(counts[name])})`, disabled: counts[name] === 0 })),
        ]}
      />
      {results.length === 0 && <Empty title={t('notRun')}>{t('noResultsNext')}</Empty>}
      <div>
        {results.map((one) => (
          <One key={one.id} result={one} benchmark={benchmark} byCheck={'check' in filter} />
        ))}
      </div>
      {list.hasNextPage && (
        <Button size="small" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          {t('more', { shown: number(results.length), total: number(list.data.pages[0]?.total ?? 0) })}
        </Button>
      )}
    </>
  )
}

function One({ result, benchmark, byCheck }: { result: Result; benchmark: string; byCheck: boolean }) {
  const { t } = useTranslation('baseline')
  const { asset } = result
  return (
    <article className="result" data-outcome={result.outcome}>
      <header>
        <OutcomeWord name={result.outcome} />
        <span className="grow">
          {byCheck ? (
            <>
              <Link to={assetPlace(benchmark, asset.id)}>{asset.name}</Link> <small className="quiet">{asset.host_name}</small>
            </>
          ) : (
            <Link to={checkPlace(benchmark, result.check)}>{say(result.title)}</Link>
          )}
        </span>
        {!byCheck && <Severity name={result.severity} />}
        <small className="quiet">
          {t('since')} <Time at={result.since} />
        </small>
        {result.outcome === 'fail' && <Waive result={result} />}
      </header>
      {result.reason && <p className={`reason ${result.outcome === 'not_checked' ? 'medium' : ''}`}>{result.reason}</p>}
      {result.evidence.length > 0 && <Seen rows={result.evidence} />}
    </article>
  )
}

const text = (value: unknown) => (typeof value === 'string' ? value || '""' : JSON.stringify(value))

function Seen({ rows }: { rows: Evidence[] }) {
  const { t } = useTranslation('baseline')
  const expected = rows.some((row) => row.expected !== undefined)
  return (
    <table className="evidence">
      <thead>
        <tr>
          <th>{t('evidence.where')}</th>
          <th>{t('evidence.value')}</th>
          {expected && <th>{t('evidence.expected')}</th>}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, place) => (
          <tr key={place}>
            <td>{row.where && row.where in SPECIAL ? <b className="high">{t(SPECIAL[row.where]!)}</b> : (row.where ?? row.fact)}</td>
            <td>{row.error ? <span className="medium">{t('evidence.error', { why: row.error })}</span> : <code>{text(row.value)}</code>}</td>
            {expected && <td>{row.expected === undefined ? null : <code>{text(row.expected)}</code>}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
