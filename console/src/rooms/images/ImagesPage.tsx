import { Alert } from 'antd'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, Outlet } from 'react-router'
import { useMay } from '@/api/session'
import { DataTable, type Bulk, type Column, type Filter } from '@/parts/DataTable'
import { Empty } from '@/parts/Empty'
import { placeOf } from '@/parts/EntityLink'
import { Page } from '@/parts/Page'
import { Time } from '@/parts/Time'
import { useOverview } from '@/rooms/overview/data'
import { bytes, number } from '@/shell/i18n'
import { order, type Image } from './data'
import { Decision } from './PoliciesPage'
import { Exploited, ScanNow, ScanState } from './Scan'

export function ImagesPage() {
  const { t } = useTranslation('images')
  const may = useMay('operator')
  const columns: Column<Image>[] = useMemo(
    () => [
      { key: 'name', title: t('column.name'), sort: 'name', width: 200, render: (row) => <span title={row.tags.join('\n') || row.name}>{row.name}{row.tags.length > 1 && <small className="quiet"> +{row.tags.length - 1}</small>}</span> },
      { key: 'scan', title: t('column.scan'), sort: 'critical', width: 190, render: (row) => <ScanState scan={row.scan} /> },
      { key: 'kev', title: t('column.kev'), sort: 'kev', width: 96, align: 'right', render: (row) => <Exploited scan={row.scan} /> },
      { key: 'secrets', title: t('found.secrets'), sort: 'secrets', width: 90, align: 'right', render: (row) => <Number value={row.scan?.secrets} /> },
      { key: 'malware', title: t('found.malware'), sort: 'malware', width: 90, align: 'right', render: (row) => <Number value={row.scan?.malware} /> },
      { key: 'config', title: t('found.misconfigurations'), sort: 'config', width: 100, align: 'right', hidden: true, render: (row) => <Number value={row.scan?.config} /> },
      { key: 'risk', title: t('risk'), sort: 'risk', width: 70, align: 'right', render: (row) => <Number value={row.scan?.risk} /> },
      { key: 'decision', title: t('policy.decision'), width: 90, hidden: true, render: (row) => <Decision name={row.scan?.decision ?? ''} /> },
      { key: 'packages', title: t('column.packages'), sort: 'packages', width: 96, align: 'right', render: (row) => (row.scan?.packages === null || !row.scan ? <span className="quiet">–</span> : number(row.scan.packages)) },
      { key: 'scanned_at', title: t('column.scanned'), sort: 'scanned_at', width: 98, render: (row) => <Time at={row.scan?.scanned_at} /> },
      {
        key: 'containers',
        title: t('column.containers'),
        sort: 'containers',
        width: 108,
        align: 'right',
        render: (row) =>
          row.containers > 0 ? (
            <Link to={`/containers?image_id=${encodeURIComponent(row.id)}`} onClick={(event) => event.stopPropagation()}>
              {number(row.containers)}
            </Link>
          ) : (
            <span className="quiet">0</span>
          ),
      },
      { key: 'hosts', title: t('column.hosts'), width: 62, hidden: true, align: 'right', render: (row) => number(row.hosts ?? 0) },
      { key: 'size', title: t('column.size'), sort: 'size', width: 78, align: 'right', render: (row) => bytes(row.size) },
      { key: 'created_at', title: t('column.created'), sort: 'created_at', width: 96, hidden: true, render: (row) => <Time at={row.created_at} /> },
      { key: 'id', title: t('column.id'), width: 140, hidden: true, render: (row) => <code>{row.id.slice(7, 19)}</code> },
      { key: 'last_seen', title: t('column.lastSeen'), sort: 'last_seen', width: 110, hidden: true, render: (row) => <Time at={row.last_seen} /> },
      ...(may ? [{ key: 'action', title: '', width: 126, align: 'right' as const, render: (row: Image) => <ScanNow image={row} /> }] : []),
    ],
    [t, may],
  )
  const filters: Filter[] = useMemo(
    () => [
      { key: 'judged', label: t('filter.judged'), options: ['true', 'false'].map((value) => ({ value, label: t(`filter.judgedIs.${value}`) })) },
      { key: 'scan_state', label: t('filter.order'), options: ['waiting', 'running', 'done', 'failed'].map((value) => ({ value, label: t(`filter.state.${value}`) })) },
      { key: 'id', label: t('column.id') },
      { key: 'host_id', label: t('column.host') },
    ],
    [t],
  )
  const bulk: Bulk[] = useMemo(() => (may ? [{ key: 'scan', label: t('scan.now'), run: scanAll }] : []), [t, may])
  return (
    <Page title={t('images')} about={<About />}>
      <NoIntelligence />
      <DataTable<Image>
        name="images"
        path="/images"
        columns={columns}
        filters={filters}
        sort="-critical"
        bulk={bulk}
        idOf={(row) => row.id}
        linkOf={(row) => placeOf('image', row.id)}
        empty={<Empty title={t('none')}>{t('noneNext')}</Empty>}
      />
      <Outlet />
    </Page>
  )
}

/** What was not looked for is a dash, never a zero. */
function Number({ value }: { value: number | null | undefined }) {
  if (value === null || value === undefined) return <span className="quiet">–</span>
  return value ? <b>{number(value)}</b> : <span className="quiet">0</span>
}

/** All are asked for, whatever is refused on the way; the first refusal is shown then. */
async function scanAll(ids: string[]): Promise<void> {
  const refused: unknown[] = []
  for (const id of ids) await order(id).catch((error: unknown) => refused.push(error))
  if (refused.length > 0) throw refused[0]
}

function About() {
  const { t } = useTranslation('images')
  const { data } = useOverview()
  const images = data?.images
  if (!images) return t('about')
  return (
    <>
      {t('summary', { scanned: number(images.scanned), total: number(images.total) })}
      {images.not_checked > 0 && (
        <>
          {' · '}
          <Link to="/images?judged=false">{t('summaryNotChecked', { count: images.not_checked })}</Link>
        </>
      )}
      {images.scanned > images.not_checked && (
        <>
          {' · '}
          <Link to="/vulnerabilities?kev=true">{t('summaryKev', { count: images.kev, shown: number(images.kev) })}</Link>
        </>
      )}
    </>
  )
}

/** Without advisories nothing can be judged: said where somebody would rely on it. */
export function NoIntelligence() {
  const { t } = useTranslation('images')
  const { data } = useOverview()
  if (!data?.intel || data.intel.advisories > 0) return null
  return (
    <Alert
      type="warning"
      showIcon
      style={{ marginBottom: 12 }}
      title={t('noIntel')}
      description={
        <>
          {t('noIntelNext')} <Link to="/intel">{t('noIntelLink')}</Link>
        </>
      }
    />
  )
}
