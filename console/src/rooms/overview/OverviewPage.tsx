/** What needs me now? Each figure is a link to the list that it counts; what is not known is said, never shown as zero. */
import { Skeleton } from 'antd'
import { useMemo, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { Chart } from '@/parts/Chart'
import { Empty } from '@/parts/Empty'
import { EntityLink, placeOf } from '@/parts/EntityLink'
import { Failure } from '@/parts/Failure'
import { Page } from '@/parts/Page'
import { SEVERITIES, Severity, SeverityCounts } from '@/parts/Severity'
import { Time } from '@/parts/Time'
import { useInForce } from '@/rooms/runtime/responses'
import { ENGINES, placeOfCategory, titleOf } from '@/rooms/runtime/data'
import { locale, number, percent, say } from '@/shell/i18n'
import { useDark } from '@/shell/preferences'
import { useOverview, type Overview } from './data'

export function OverviewPage() {
  const { t } = useTranslation('overview')
  const { data, error, refetch } = useOverview()
  return (
    <Page title={t('title')} about={t('about')}>
      {error && !data ? <Failure error={error} retry={() => void refetch()} /> : null}
      {!data && !error && <Skeleton active paragraph={{ rows: 10 }} />}
      {data && <Body data={data} />}
    </Page>
  )
}

function Body({ data }: { data: Overview }) {
  return (
    <>
      <Needs data={data} />
      <div className="grid-2">
        <Trend data={data} />
        <Latest data={data} />
      </div>
      <div className="grid-2 loose">
        <Images data={data} />
        <div>
          <Baseline data={data} />
          <Running data={data} />
        </div>
      </div>
    </>
  )
}

function Need({ to, title, figure, note, tone = '' }: { to: string; title: string; figure: ReactNode; note?: ReactNode; tone?: string }) {
  return (
    <Link to={to} className="panel need">
      <h2>{title}</h2>
      <div className={`figure ${tone}`}>
        {figure} {note && <small>{note}</small>}
      </div>
    </Link>
  )
}

function Needs({ data }: { data: Overview }) {
  const { t } = useTranslation('overview')
  const { critical = 0, high = 0 } = data.alerts.new
  const { agents, images, baseline } = data
  const silent = agents.offline + agents.late
  const failed = baseline?.reduce((sum, one) => sum + (one.counts['fail'] ?? 0), 0)
  const known = baseline?.some((one) => one.last_run)
  return (
    <div className="needs">
      <Need
        to="/alerts?state=new&severity=critical,high"
        title={t('need.alerts')}
        figure={number(critical + high)}
        tone={critical ? 'critical' : high ? 'high' : ''}
        note={critical + high ? t('need.critical', { count: critical }) : t('need.quiet')}
      />
      <Need
        to={silent ? '/agents?state=offline,late' : '/agents'}
        title={t('need.agents')}
        figure={silent + agents.blind}
        tone={silent + agents.blind ? 'high' : ''}
        note={t('need.agentsNote', { blind: agents.blind, silent, online: agents.online })}
      />
      <Need
        to="/vulnerabilities?kev=true"
        title={t('need.kev')}
        figure={images && images.scanned > 0 ? number(images.kev) : '–'}
        tone={images?.kev ? 'critical' : ''}
        note={images && images.scanned > 0 ? t('need.kevNote', { scanned: images.scanned, total: images.total }) : t('need.notScanned')}
      />
      <Need
        to="/baseline"
        title={t('need.baseline')}
        figure={known ? number(failed ?? 0) : '–'}
        note={known ? t('need.baselineNote') : t('need.notRun')}
      />
    </div>
  )
}

const COLOURS: Record<string, [light: string, dark: string]> = {
  critical: ['#b3121f', '#ff7b7f'],
  high: ['#d9731a', '#ff9f5a'],
  medium: ['#d6a419', '#e3b341'],
  low: ['#3b6e8f', '#7fb8da'],
  info: ['#9aa8b0', '#67777f'],
}

function Trend({ data }: { data: Overview }) {
  const { t } = useTranslation('overview')
  const dark = useDark()
  const option = useMemo(() => {
    const hour = new Intl.DateTimeFormat(locale(), { hour: '2-digit', minute: '2-digit' })
    const used = SEVERITIES.filter((name) => name in COLOURS)
    return {
      grid: { left: 36, right: 8, top: 28, bottom: 22 },
      legend: { top: 0, right: 0, itemWidth: 10, itemHeight: 10, textStyle: { fontSize: 11 } },
      tooltip: { trigger: 'axis' },
      xAxis: { type: 'category', data: data.alerts.trend.map((one) => hour.format(new Date(one.hour))), axisTick: { show: false } },
      yAxis: { type: 'value', minInterval: 1, splitLine: { lineStyle: { opacity: 0.35 } } },
      series: used.map((name) => ({
        name: t(`shell:severity.${name}`),
        type: 'bar',
        stack: 'alerts',
        barMaxWidth: 22,
        itemStyle: { color: COLOURS[name]![dark ? 1 : 0] },
        data: data.alerts.trend.map((one) => one[name] ?? 0),
      })),
    }
  }, [data.alerts.trend, t, dark])
  return (
    <section className="panel">
      <header>
        <h2>{t('trend')}</h2>
        <Link to="/alerts">{t('allAlerts')}</Link>
      </header>
      <div className="panel-body">
        <Chart option={option} height={228} label={t('trend')} />
        <Categories data={data} />
      </div>
    </section>
  )
}

/** New alerts of each engine: none is said, too, so that a quiet engine is not taken for a missing one. */
function Categories({ data }: { data: Overview }) {
  const { t } = useTranslation('overview')
  const counts = data.alerts.categories
  const others = Object.keys(counts).filter((name) => !(name in ENGINES))
  return (
    <ul className="engines" data-test="engines">
      {[...Object.keys(ENGINES), ...others].map((name) => (
        <li key={name}>
          <Link to={placeOfCategory(name, { state: 'new' })} className={counts[name] ? '' : 'quiet'}>
            <b>{number(counts[name] ?? 0)}</b> {t(`runtime:category.${name}`)}
          </Link>
        </li>
      ))}
    </ul>
  )
}

function Latest({ data }: { data: Overview }) {
  const { t } = useTranslation('overview')
  return (
    <section className="panel">
      <header>
        <h2>{t('latest')}</h2>
      </header>
      <div className="panel-body">
        {data.alerts.latest.length === 0 && <Empty title={t('noAlerts')}>{t('noAlertsNext')}</Empty>}
        <ul className="rows">
          {data.alerts.latest.map((alert) => (
            <li key={alert.id}>
              <Severity name={alert.severity} />
              <Link className="grow" to={placeOf('alert', alert.id)} title={titleOf(alert)}>
                {titleOf(alert)}
              </Link>
              <Time at={alert.last_seen} />
            </li>
          ))}
        </ul>
      </div>
    </section>
  )
}

function Images({ data }: { data: Overview }) {
  const { t } = useTranslation('overview')
  const images = data.images
  return (
    <section className="panel">
      <header>
        <h2>{t('images')}</h2>
        {images && <Link to="/images">{t('imagesScanned', { scanned: images.scanned, total: images.total })}</Link>}
      </header>
      <div className="panel-body">
        {!images && <p className="quiet">{t('shell:notKnown')}</p>}
        {images && images.scanned === 0 && <Empty title={t('noScans')}>{t('noScansNext')}</Empty>}
        {images && images.scanned > 0 && (
          <>
            <SeverityCounts counts={images.vulnerabilities} none={t('noneFound')} to={(name) => `/vulnerabilities?severity=${name}`} />
            {images.not_checked > 0 && <p className="bad">{t('imagesNotChecked', { count: images.not_checked })}</p>}
            <ul className="rows" style={{ marginTop: 8 }}>
              {images.top.map((image) => (
                <li key={image.id}>
                  <span className="grow">
                    <EntityLink kind="image" id={image.id}>
                      {image.name || image.id.slice(0, 19)}
                    </EntityLink>
                  </span>
                  <SeverityCounts counts={{ critical: image.critical, high: image.high }} none={t('noneHigh')} />
                  {image.kev > 0 && <span className="critical">{t('exploited', { count: image.kev })}</span>}
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
    </section>
  )
}

function Baseline({ data }: { data: Overview }) {
  const { t } = useTranslation('overview')
  return (
    <section className="panel" style={{ marginBottom: 14 }}>
      <header>
        <h2>{t('baseline')}</h2>
      </header>
      <div className="panel-body">
        {!data.baseline?.length && <p className="quiet">{t('need.notRun')}</p>}
        {data.baseline?.map((one) => {
          const total = Object.values(one.counts).reduce((sum, count) => sum + count, 0) || 1
          const share = (name: string) => ({ width: `${((one.counts[name] ?? 0) / total) * 100}%` })
          const rest = total - (one.counts['pass'] ?? 0) - (one.counts['fail'] ?? 0)
          return (
            <div key={one.id}>
              <div style={{ display: 'flex', justifyContent: 'space-between' }}>
                <Link to={placeOf('baseline', one.id)}>{say(one.title)}</Link>
                <span>{one.last_run ? percent(one.rate) : t('need.notRun')}</span>
              </div>
              {one.last_run && (
                <>
                  <div className="rate-bar" aria-hidden="true">
                    <i className="passed" style={share('pass')} />
                    <i className="failed" style={share('fail')} />
                  </div>
                  <small className="quiet">
                    {t('notAssessed', { share: percent(rest / total) })} · <Time at={one.last_run} />
                  </small>
                </>
              )}
            </div>
          )
        })}
      </div>
    </section>
  )
}

function Running({ data }: { data: Overview }) {
  const { t } = useTranslation('overview')
  const { assets, intel } = data
  const isolated = useInForce('isolations').data
  const quarantined = useInForce('quarantine').data
  const rows: [string, ReactNode, string][] = [
    ['hosts', assets?.hosts, '/hosts'],
    ['containers', assets && t('ofTotal', { running: number(assets.containers.running), total: number(assets.containers.total) }), '/containers'],
    ['processes', assets?.processes, '/processes'],
    ['ports', assets?.ports, '/ports'],
    ['isolated', isolated, '/responses?view=isolations'],
    ['quarantined', quarantined, '/responses?view=quarantine'],
    ['intel', intel && (intel.advisories ? t('intelAge', { count: intel.age_days ?? 0, advisories: number(intel.advisories) }) : t('noIntel')), '/intel'],
  ]
  return (
    <section className="panel">
      <header>
        <h2>{t('running')}</h2>
      </header>
      <div className="panel-body">
        <ul className="rows">
          {rows.map(([name, value, to]) => (
            <li key={name}>
              <span>{t(`row.${name}`)}</span>
              <Link to={to}>{typeof value === 'number' ? number(value) : (value ?? t('shell:notKnown'))}</Link>
            </li>
          ))}
        </ul>
      </div>
    </section>
  )
}
