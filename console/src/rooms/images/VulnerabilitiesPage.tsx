import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, Outlet, useParams } from 'react-router'
import { Button, Space } from 'antd'
import { ApiError, get, type Page as ListPage } from '@/api/client'
import { useMay } from '@/api/session'
import { DataTable, type Column, type Filter } from '@/parts/DataTable'
import { Drawer } from '@/parts/Drawer'
import { Empty } from '@/parts/Empty'
import { EntityLink, placeOf } from '@/parts/EntityLink'
import { Facts, Section } from '@/parts/Facts'
import { Page } from '@/parts/Page'
import { SEVERITIES, Severity } from '@/parts/Severity'
import { Time } from '@/parts/Time'
import { useOverview } from '@/rooms/overview/data'
import { number } from '@/shell/i18n'
import type { Hit, Vulnerability } from './data'
import { Ignore } from './Ignore'
import { NoIntelligence } from './ImagesPage'
import { KevMark } from './Scan'

export function VulnerabilitiesPage() {
  const { t } = useTranslation('images')
  const columns: Column<Vulnerability>[] = useMemo(
    () => [
      { key: 'severity', title: t('column.severity'), sort: 'severity', width: 108, render: (row) => <Severity name={row.severity} /> },
      { key: 'id', title: t('column.cve'), sort: 'id', width: 140, render: (row) => row.id },
      { key: 'kev', title: t('column.exploited'), sort: 'kev', width: 98, render: (row) => (row.kev ? <KevMark /> : <span className="quiet">–</span>) },
      { key: 'score', title: t('column.score'), sort: 'score', width: 72, align: 'right', render: (row) => row.score?.toFixed(1) ?? <span className="quiet">–</span> },
      { key: 'title', title: t('column.title'), width: 208, render: (row) => (row.title ? <span title={row.title}>{row.title}</span> : <span className="quiet">–</span>) },
      { key: 'packages', title: t('column.packages'), width: 170, render: (row) => <span title={row.packages.join(', ')}>{row.packages.join(', ')}</span> },
      { key: 'fixed', title: t('column.fix'), sort: 'fixed', width: 98, render: (row) => <Fix fixed={row.fixed} /> },
      { key: 'images', title: t('images'), sort: 'images', width: 88, align: 'right', render: (row) => number(row.images) },
      { key: 'containers', title: t('column.running'), sort: 'containers', width: 96, align: 'right', render: (row) => (row.containers ? <b>{number(row.containers)}</b> : <span className="quiet">0</span>) },
      { key: 'first_seen', title: t('column.firstSeen'), sort: 'first_seen', width: 104, render: (row) => <Time at={row.first_seen} /> },
    ],
    [t],
  )
  const filters: Filter[] = useMemo(
    () => [
      { key: 'severity', label: t('column.severity'), options: SEVERITIES.map((value) => ({ value, label: t(`shell:severity.${value}`) })) },
      { key: 'kev', label: t('column.exploited'), options: ['true', 'false'].map((value) => ({ value, label: t(`filter.kev.${value}`) })) },
      { key: 'fixed', label: t('column.fix'), options: ['true', 'false'].map((value) => ({ value, label: t(`filter.fixed.${value}`) })) },
      { key: 'id', label: t('column.cve') },
    ],
    [t],
  )
  return (
    <Page title={t('vulnerabilities')} about={t('vulnerabilitiesAbout')}>
      <NoIntelligence />
      <DataTable<Vulnerability>
        name="vulnerabilities"
        path="/vulnerabilities"
        columns={columns}
        filters={filters}
        sort="-severity"
        range
        idOf={(row) => row.id}
        linkOf={(row) => placeOf('vulnerability', row.id)}
        empty={<Nothing />}
      />
      <Outlet />
    </Page>
  )
}

function Fix({ fixed }: { fixed: boolean }) {
  const { t } = useTranslation('images')
  return <span className={fixed ? 'good' : 'quiet'}>{t(`filter.fixed.${fixed}`)}</span>
}

/** An empty list has three reasons, and only one of them is good news. */
function Nothing() {
  const { t } = useTranslation('images')
  const { data } = useOverview()
  const images = data?.images
  const next = <Link to="/images">{t('toImages')}</Link>
  if (!images) return <Empty title={t('noFindings')} />
  if (images.scanned === 0) return <Empty title={t('nothingScanned')}>{next}</Empty>
  if (images.scanned === images.not_checked) return <Empty title={t('scan.notChecked')}>{next}</Empty>
  return <Empty title={t('noFindings')}>{t('summary', { scanned: number(images.scanned), total: number(images.total) })}</Empty>
}

export function VulnerabilityDrawer() {
  const { id = '' } = useParams()
  const { t } = useTranslation('images')
  const query = useQuery({
    queryKey: ['vulnerabilities', 'one', id],
    queryFn: async ({ signal }) => {
      const page = await get<ListPage<Vulnerability>>(`/vulnerabilities?id=${encodeURIComponent(id)}`, signal)
      if (!page.items[0]) throw new ApiError(404, t('noSuchCve', { id }), t('noSuchCveHint'))
      return page.items[0]
    },
  })
  const one = query.data
  const may = useMay('operator')
  const [ignoring, setIgnoring] = useState(false)
  return (
    <Drawer
      list="/vulnerabilities"
      query={query}
      extra={
        may && (
          <Button size="small" onClick={() => setIgnoring(true)}>
            {t('ignore.add')}
          </Button>
        )
      }
      title={
        <Space>
          {one && <Severity name={one.severity} />}
          {id}
          {one?.kev && <KevMark />}
        </Space>
      }
    >
      {ignoring && <Ignore close={() => setIgnoring(false)} given={{ ids: id }} />}
      {one && (
        <>
          {one.title && <p style={{ marginTop: 0 }}>{one.title}</p>}
          <Section title={t('section.cve')}>
            <Facts
              items={[
                [t('column.severity'), <Severity key="s" name={one.severity} />],
                [t('column.score'), one.score === null ? <span className="quiet">{t('shell:notKnown')}</span> : one.score.toFixed(1)],
                [t('column.exploited'), one.kev ? t('kevAbout') : t('kevNot')],
                [t('risk'), one.risk === null || one.risk === undefined ? undefined : number(one.risk)],
                ['EPSS', one.epss === null || one.epss === undefined ? undefined : `${(one.epss * 100).toFixed(1)} %`],
                [t('column.fix'), <Fix key="f" fixed={one.fixed} />],
                [t('images'), number(one.images)],
                [t('column.running'), number(one.containers)],
                [t('column.firstSeen'), <Time key="t" at={one.first_seen} />],
                [t('advisory'), /^https?:/.test(one.url) ? <a key="u" href={one.url} target="_blank" rel="noreferrer noopener">{one.url}</a> : undefined],
              ]}
            />
          </Section>
          <Section title={t('section.where')}>
            <Affected id={id} />
          </Section>
        </>
      )}
    </Drawer>
  )
}

function Affected({ id }: { id: string }) {
  const { t } = useTranslation('images')
  const columns: Column<Hit>[] = useMemo(
    () => [
      { key: 'name', title: t('image'), sort: 'name', width: 200, render: (row) => <EntityLink kind="image" id={row.image_id}>{row.name || row.image_id.slice(0, 19)}</EntityLink> },
      { key: 'package', title: t('column.package'), sort: 'package', width: 130, render: (row) => <span title={row.path}>{row.package}</span> },
      { key: 'installed', title: t('column.installed'), width: 120, render: (row) => <code title={row.installed}>{row.installed}</code> },
      { key: 'fixed', title: t('column.fixed'), width: 120, render: (row) => (row.fixed ? <code className="good" title={row.fixed}>{row.fixed}</code> : <span className="quiet">{t('noFix')}</span>) },
      {
        key: 'containers',
        title: t('column.running'),
        sort: 'containers',
        width: 100,
        align: 'right',
        render: (row) => (row.containers ? <Link to={`/containers?state=running&image_id=${encodeURIComponent(row.image_id)}`}>{number(row.containers)}</Link> : <span className="quiet">0</span>),
      },
    ],
    [t],
  )
  return (
    <DataTable<Hit>
      name="affected"
      path={`/vulnerabilities/${encodeURIComponent(id)}/images`}
      columns={columns}
      sort="name"
      inAddress={false}
      idOf={(row) => `${row.image_id} ${row.package} ${row.path}`}
      empty={<Empty title={t('noFindings')} />}
    />
  )
}
