import { Skeleton } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link, useLocation } from 'react-router'
import { Failure } from '@/parts/Failure'
import { SeverityMark } from '@/parts/Severity'
import { exact } from '@/parts/Time'
import { locale } from '@/shell/i18n'
import { titleOf, useTimeline, type Alert } from './data'

/** What else the same container did ten minutes before and after, on one axis; this alert stands out. */
export function TimelineOf({ alert }: { alert: Alert }) {
  const { t } = useTranslation('runtime')
  const { search } = useLocation()
  const { data, error, refetch } = useTimeline(alert.id)
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />
  if (!data) return <Skeleton active title={false} paragraph={{ rows: 3 }} />
  const others = data.items.filter((one) => one.id !== alert.id)
  if (others.length === 0) return <p className="quiet">{t('timeline.alone')}</p>
  const clock = new Intl.DateTimeFormat(locale(), { hour: '2-digit', minute: '2-digit', second: '2-digit' })
  const here = Date.parse(alert.first_seen)
  return (
    <>
      <ol className="axis" data-test="timeline">
        {data.items.map((one) => (
          <li key={one.id} className={one.id === alert.id ? 'this' : ''}>
            <time dateTime={one.first_seen} title={exact(one.first_seen)}>
              {clock.format(new Date(one.first_seen))}
            </time>
            <SeverityMark name={one.severity} />
            {one.id === alert.id ? <b>{titleOf(one)}</b> : <Link to={{ pathname: `../${encodeURIComponent(one.id)}`, search }} relative="path">{titleOf(one)}</Link>}
            <span className="quiet">{one.id === alert.id ? t('timeline.this') : offset(Date.parse(one.first_seen) - here)}</span>
          </li>
        ))}
      </ol>
      {data.truncated && <p className="quiet">{t('timeline.truncated')}</p>}
    </>
  )
}

/** `+12 sec`, `-3 min`: how far from this alert. */
function offset(ms: number): string {
  const near = Math.abs(ms) < 120_000
  const form = new Intl.NumberFormat(locale(), { style: 'unit', unit: near ? 'second' : 'minute', unitDisplay: 'short', signDisplay: 'exceptZero' })
  return form.format(Math.round(ms / (near ? 1000 : 60_000)))
}
