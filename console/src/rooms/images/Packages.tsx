import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { DataTable, type Column, type Filter } from '@/parts/DataTable'
import { Empty } from '@/parts/Empty'
import { Severity } from '@/parts/Severity'
import { number } from '@/shell/i18n'
import type { Image, Package } from './data'

const KINDS = ['deb', 'apk', 'pypi', 'npm']

export function Packages({ image }: { image: Image }) {
  const { t } = useTranslation('images')
  const columns: Column<Package>[] = useMemo(
    () => [
      { key: 'name', title: t('column.package'), sort: 'name', width: 160, render: (row) => <span title={row.purl}>{row.name}</span> },
      { key: 'version', title: t('column.version'), sort: 'version', width: 124, render: (row) => <code title={row.version}>{row.version}</code> },
      { key: 'kind', title: t('column.kind'), sort: 'kind', width: 66, render: (row) => row.kind },
      { key: 'vulnerabilities', title: t('column.vulnerabilities'), sort: 'vulnerabilities', width: 132, render: (row) => <Known row={row} /> },
      { key: 'license', title: t('column.license'), sort: 'license', width: 96, render: (row) => row.license || <span className="quiet">–</span> },
      { key: 'path', title: t('column.path'), width: 104, render: (row) => <code title={row.path}>{row.path}</code> },
      { key: 'layer', title: t('column.layer'), sort: 'layer', width: 68, align: 'right', hidden: true, render: (row) => row.layer },
      { key: 'source', title: t('column.source'), width: 140, hidden: true, render: (row) => row.source_name || <span className="quiet">–</span> },
    ],
    [t],
  )
  const filters: Filter[] = useMemo(
    () => [
      { key: 'kind', label: t('column.kind'), options: KINDS.map((value) => ({ value, label: value })) },
      { key: 'checked', label: t('filter.covered'), options: ['true', 'false'].map((value) => ({ value, label: t(`filter.coveredIs.${value}`) })) },
    ],
    [t],
  )
  return (
    <DataTable<Package>
      name="packages"
      path={`/images/${encodeURIComponent(image.id)}/packages`}
      columns={columns}
      filters={filters}
      sort="name"
      inAddress={false}
      idOf={(row) => `${row.purl} ${row.path}`}
      empty={<Empty title={t('scan.noPackages')}>{t('scan.noPackagesNext')}</Empty>}
    />
  )
}

/** Vulnerabilities of a package; one that no feed covers is not known to be clean. */
function Known({ row }: { row: Package }) {
  const { t } = useTranslation('images')
  if (row.checked === null) return <span className="medium">{t('filter.judgedIs.false')}</span>
  if (row.vulnerabilities > 0 && row.severity)
    return (
      <>
        {number(row.vulnerabilities)} · <Severity name={row.severity} />
      </>
    )
  if (!row.checked) return <span className="medium" title={t('scan.noFeedAbout')}>{t('notCovered')}</span>
  return <span className="quiet">0</span>
}
