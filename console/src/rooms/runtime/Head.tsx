/** What needs me now, of one engine or of all: how grave, what was achieved, and where most of it is. Every count is a link. */
import { Skeleton } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { Failure } from '@/parts/Failure'
import { SEVERITIES, SeverityMark } from '@/parts/Severity'
import { number } from '@/shell/i18n'
import { placeOfCategory, RESULTS, titleOf, useSummary, type Most, type Summary } from './data'
import { ResultMark } from './Result'

const SHOWN = 3

export function Head({ category }: { category: string }) {
  const { t } = useTranslation('runtime')
  const { data, error, refetch } = useSummary(category)
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />
  if (!data)
    return (
      <section className="panel now">
        <Skeleton active title={false} paragraph={{ rows: 3 }} />
      </section>
    )
  if (data.new === 0)
    return (
      <section className="panel now calm" data-test="now">
        <p>
          <strong className="good">{t('now.calm')}</strong> <span className="quiet">{t(`engine.${category || 'all'}`)}</span>
        </p>
      </section>
    )
  return <Now data={data} category={category} />
}

function Now({ data, category }: { data: Summary; category: string }) {
  const { t } = useTranslation('runtime')
  const to = (words: Record<string, string>) => placeOfCategory(category, { state: 'new', ...words }).replace('/alerts?category=&', '/alerts?')
  return (
    <section className="panel now" data-test="now">
      <div>
        <h2>
          <Link to={to({})}>{t('now.title', { count: data.new, shown: number(data.new) })}</Link>
        </h2>
        <ul className="now-counts">
          {SEVERITIES.filter((name) => data.severities[name]).map((name) => (
            <li key={name}>
              <Link to={to({ severity: name })} className={name}>
                <SeverityMark name={name} /> <b>{number(data.severities[name] ?? 0)}</b> {t(`shell:severity.${name}`)}
              </Link>
            </li>
          ))}
        </ul>
        <ul className="now-counts">
          {RESULTS.filter((name) => data.results[name]).map((name) => (
            <li key={name}>
              <Link to={to({ result: name })}>
                <ResultMark result={name} /> <b>{number(data.results[name] ?? 0)}</b> {t(`result.${name}`)}
              </Link>
            </li>
          ))}
        </ul>
      </div>
      <Top title={t('now.containers')} rows={data.containers} name={(row) => row.container_name || row.id.slice(0, 12)} to={(row) => to({ container_id: row.id })} />
      <Top title={t('now.images')} rows={data.images} name={(row) => row.id} to={(row) => to({ image: row.id })} />
      <Top title={t('now.rules')} rows={data.rules} name={(row) => titleOf(row) || row.id} to={(row) => to({ rule: row.id })} />
    </section>
  )
}

function Top({ title, rows, name, to }: { title: string; rows: Most[]; name: (row: Most) => ReactNode; to: (row: Most) => string }) {
  const { t } = useTranslation('runtime')
  return (
    <div>
      <h2>{title}</h2>
      {rows.length === 0 && <span className="quiet">{t('now.none')}</span>}
      <ul className="now-top">
        {rows.slice(0, SHOWN).map((row) => (
          <li key={row.id}>
            <SeverityMark name={row.severity} size={10} />
            <Link to={to(row)} title={String(name(row))}>
              {name(row)}
            </Link>
            <span className="quiet">{number(row.count)}</span>
          </li>
        ))}
      </ul>
    </div>
  )
}
