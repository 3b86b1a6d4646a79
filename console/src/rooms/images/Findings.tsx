/** The vulnerabilities of one image: as a list by severity, or under the layer that brought them. */
import { Alert, Collapse, Segmented, Skeleton } from 'antd'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { get, type Page } from '@/api/client'
import { DataTable, type Column, type Filter } from '@/parts/DataTable'
import { Empty } from '@/parts/Empty'
import { EntityLink } from '@/parts/EntityLink'
import { Failure } from '@/parts/Failure'
import { SEVERITIES, Severity, SeverityCounts, type Counts, type SeverityName } from '@/parts/Severity'
import { bytes, number } from '@/shell/i18n'
import type { Finding, Image, Layer } from './data'
import { KevMark } from './Scan'

const MOST = 5000
const pathOf = (image: Image) => `/images/${encodeURIComponent(image.id)}/vulnerabilities`

export function Findings({ image, layers }: { image: Image; layers: Layer[] }) {
  const { t } = useTranslation('images')
  const [by, setBy] = useState<'severity' | 'layer'>('severity')
  const { scan } = image
  if (!scan?.judged)
    return (
      <Alert
        type="warning"
        showIcon
        title={t('scan.notChecked')}
        description={
          <>
            {scan?.error || t('scan.notCheckedAbout')} <Link to="/intel">{t('noIntelLink')}</Link>
          </>
        }
      />
    )
  return (
    <>
      <Segmented
        size="small"
        value={by}
        onChange={setBy}
        options={(['severity', 'layer'] as const).map((value) => ({ value, label: t(`by.${value}`) }))}
        style={{ marginBottom: 10 }}
      />
      {by === 'severity' ? <List image={image} /> : <ByLayer image={image} layers={layers} />}
    </>
  )
}

function List({ image, layer }: { image: Image; layer?: number }) {
  const { t } = useTranslation('images')
  const columns: Column<Finding>[] = useMemo(
    () => [
      { key: 'severity', title: t('column.severity'), sort: 'severity', width: 98, render: (row) => <Severity name={row.severity} /> },
      {
        key: 'id',
        title: t('column.cve'),
        sort: 'id',
        width: 168,
        render: (row) => (
          <span title={row.title}>
            <EntityLink kind="vulnerability" id={row.id} /> {row.kev && <KevMark short />}
          </span>
        ),
      },
      { key: 'package', title: t('column.package'), sort: 'package', width: 126, render: (row) => <span title={row.path}>{row.package}</span> },
      { key: 'installed', title: t('column.installed'), width: 112, render: (row) => <code title={row.installed}>{row.installed}</code> },
      { key: 'fixed', title: t('column.fixed'), sort: 'fixable', width: 112, render: (row) => (row.fixed ? <code className="good" title={row.fixed}>{row.fixed}</code> : <span className="quiet">{t(`status.${row.status}`, { defaultValue: t('noFix') })}</span>) },
      { key: 'score', title: t('column.score'), sort: 'score', width: 70, align: 'right', hidden: true, render: (row) => row.score ?? <span className="quiet">–</span> },
      { key: 'layer', title: t('column.layer'), sort: 'layer', width: 66, align: 'right', hidden: layer !== undefined, render: (row) => (row.layer < 0 ? <span className="quiet">–</span> : row.layer) },
    ],
    [t, layer],
  )
  const filters: Filter[] = useMemo(
    () => [
      { key: 'severity', label: t('column.severity'), options: SEVERITIES.map((value) => ({ value, label: t(`shell:severity.${value}`) })) },
      { key: 'fixable', label: t('column.fixed'), options: ['true', 'false'].map((value) => ({ value, label: t(`filter.fixed.${value}`) })) },
    ],
    [t],
  )
  const fixed = useMemo(() => (layer === undefined ? undefined : { layer: String(layer) }), [layer])
  return (
    <DataTable<Finding>
      name={layer === undefined ? 'findings' : 'layerFindings'}
      path={pathOf(image)}
      columns={columns}
      filters={filters}
      sort="-severity"
      search={layer === undefined}
      inAddress={false}
      {...(fixed ? { fixed } : {})}
      idOf={(row) => `${row.id} ${row.purl} ${row.path}`}
      empty={<Clean image={image} />}
    />
  )
}

/** No findings: said with how much of the image was looked at. */
function Clean({ image }: { image: Image }) {
  const { t } = useTranslation('images')
  const { packages, unchecked } = image.scan ?? {}
  if (packages && packages === unchecked) return <Empty title={t('scan.noFeed')}>{t('scan.noFeedAbout')}</Empty>
  if (!packages) return <Empty title={t('scan.noPackages')}>{t('scan.noPackagesNext')}</Empty>
  return <Empty title={t('scan.clean')}>{unchecked ? t('scan.uncheckedAbout', { count: unchecked }) : null}</Empty>
}

async function all(image: Image, signal: AbortSignal): Promise<{ found: Finding[]; total: number }> {
  const found: Finding[] = []
  let cursor: string | null = ''
  let total = 0
  while (cursor !== null && found.length < MOST) {
    const page: Page<Finding> = await get<Page<Finding>>(`${pathOf(image)}?limit=500${cursor && `&cursor=${encodeURIComponent(cursor)}`}`, signal)
    found.push(...page.items)
    total = page.total
    cursor = page.next
  }
  return { found, total }
}

function ByLayer({ image, layers }: { image: Image; layers: Layer[] }) {
  const { t } = useTranslation('images')
  const query = useQuery({ queryKey: ['images', 'findings', image.id, image.scan?.judged_at], queryFn: ({ signal }) => all(image, signal) })
  if (query.error) return <Failure error={query.error} retry={() => void query.refetch()} />
  if (!query.data) return <Skeleton active />
  const { found, total } = query.data
  if (total === 0) return <Clean image={image} />
  const counts = new Map<number, Counts>()
  for (const one of found) {
    const mine = counts.get(one.layer) ?? {}
    const name = one.severity as SeverityName
    counts.set(one.layer, { ...mine, [name]: (mine[name] ?? 0) + 1 })
  }
  const known = new Map(layers.map((layer) => [layer.index, layer]))
  return (
    <>
      {total > found.length && <Alert type="info" showIcon title={t('countsOf', { shown: number(found.length), total: number(total) })} style={{ marginBottom: 10 }} />}
      <Collapse
        size="small"
        destroyOnHidden
        items={[...counts.keys()]
          .sort((a, b) => a - b)
          .map((index) => {
            const layer = known.get(index)
            const text = layer?.created_by || t(layer ? 'noInstruction' : 'noLayer')
            return {
              key: index,
              label: (
                <span className="layer-line">
                  <b>{index < 0 ? '–' : index}</b>
                  <code title={text}>{text}</code>
                  {layer && <span className="quiet">{bytes(layer.size)}</span>}
                  <SeverityCounts counts={counts.get(index)} />
                </span>
              ),
              children: <List image={image} layer={index} />,
            }
          })}
      />
    </>
  )
}
