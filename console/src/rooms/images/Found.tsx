/** Secrets, malware and what is not as it should be: of one image in its drawer, of all images as a page. */
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { Button, Tabs } from 'antd'
import type { Bilingual } from '@/api/client'
import { useMay } from '@/api/session'
import { DataTable, type Column, type Filter } from '@/parts/DataTable'
import { Empty } from '@/parts/Empty'
import { EntityLink } from '@/parts/EntityLink'
import { Page } from '@/parts/Page'
import { SEVERITIES, Severity } from '@/parts/Severity'
import { Time } from '@/parts/Time'
import type { Image } from './data'
import { Ignore } from './Ignore'
import { KINDS, type Found, type FoundKind } from './supply'

export function FoundIn({ image, kind }: { image: Image; kind: FoundKind }) {
  return <FoundTable kind={kind} path={`/images/${encodeURIComponent(image.id)}/${kind}`} inAddress={false} />
}

export function FoundPage({ kind }: { kind: FoundKind }) {
  const { t } = useTranslation('images')
  return (
    <Page title={t(`found.${kind}`)} about={t(`found.about.${kind}`)}>
      <Tabs activeKey={kind} items={KINDS.map((key) => ({ key, label: <Link to={`/${key}`}>{t(`found.${key}`)}</Link> }))} />
      <FoundTable kind={kind} path={`/${kind}`} inAddress everywhere />
    </Page>
  )
}

function FoundTable({ kind, path, inAddress, everywhere = false }: { kind: FoundKind; path: string; inAddress: boolean; everywhere?: boolean }) {
  const { t } = useTranslation('images')
  const may = useMay('operator')
  const [ignoring, setIgnoring] = useState<Found | null>(null)
  const columns: Column<Found>[] = useMemo(
    () => [
      { key: 'severity', title: t('column.severity'), sort: 'severity', width: 110, render: (row) => <Severity name={row.severity} /> },
      { key: 'what', title: t('column.title'), sort: 'rule', width: 240, render: (row) => <What row={row} kind={kind} /> },
      ...(everywhere ? [{ key: 'image', title: t('column.name'), sort: 'image', width: 180, render: (row: Found) => <EntityLink kind="image" id={row.image_id}>{row.image || row.image_id?.slice(0, 19)}</EntityLink> }] : []),
      { key: 'path', title: t('found.where'), sort: 'path', width: 240, render: (row) => <Where row={row} /> },
      ...(kind === 'misconfigurations' ? [] : [{ key: 'certainty', title: t('found.certainty'), sort: 'certainty', width: 110, render: (row: Found) => t(`found.sure.${row.certainty}`, { defaultValue: row.certainty }) }]),
      { key: 'layer', title: t('column.layer'), sort: 'layer', width: 90, render: (row) => (row.layer < 0 ? '–' : <>{row.layer}{row.deleted && <small className="medium"> {t('found.deleted')}</small>}</>) },
      { key: 'first_seen', title: t('column.firstSeen'), sort: 'first_seen', width: 110, render: (row) => <Time at={row.first_seen} /> },
      ...(may ? [{ key: 'action', title: '', width: 90, align: 'right' as const, render: (row: Found) => <Button size="small" type="text" onClick={() => setIgnoring(row)}>{t('ignore.keep')}</Button> }] : []),
    ],
    [t, kind, everywhere, may],
  )
  const filters: Filter[] = useMemo(
    () => [
      { key: 'severity', label: t('column.severity'), options: SEVERITIES.map((value) => ({ value, label: <Severity name={value} /> })) },
      ...(kind === 'misconfigurations' ? [] : [{ key: 'deleted', label: t('found.deletedOf'), options: ['false', 'true'].map((value) => ({ value, label: t(`found.deletedIs.${value}`) })) }]),
      { key: 'rule', label: t('found.rule') },
      { key: 'image_id', label: t('column.id') },
    ],
    [t, kind],
  )
  const table = (
    <DataTable<Found>
      name={inAddress ? kind : 'images'}
      remember={kind}
      path={path}
      columns={columns}
      filters={everywhere ? filters : filters.filter(({ key }) => key !== 'image_id')}
      sort="-severity"
      inAddress={inAddress}
      idOf={(row) => row.id}
      empty={<Empty title={t('found.none')}>{t(everywhere ? 'found.noneAnywhere' : 'found.noneHere')}</Empty>}
    />
  )
  return (
    <>
      {table}
      {ignoring && <Ignore close={() => setIgnoring(null)} given={{ kind: SCANNER[kind], ids: ignoring.rule ?? ignoring.check ?? '', paths: ignoring.path, images: ignoring.image ?? '' }} />}
    </>
  )
}

const SCANNER: Record<FoundKind, string> = { secrets: 'secret', malware: 'malware', misconfigurations: 'config' }

function What({ row, kind }: { row: Found; kind: FoundKind }) {
  const { i18n } = useTranslation()
  const say = (words: Bilingual | undefined) => words?.[i18n.language.startsWith('zh') ? 'zh' : 'en']
  const name = row.rule ?? row.check
  const detail = kind === 'secrets' ? row.shown : kind === 'malware' ? [row.family, row.member].filter(Boolean).join(' · ') : row.evidence
  return (
    <span title={[say(row.text?.why), say(row.text?.fix), row.context || row.evidence].filter(Boolean).join('\n')}>
      {say(row.text?.title) || row.title || row.about || name}
      <small className="quiet" style={{ display: 'block', overflow: 'hidden', textOverflow: 'ellipsis' }}>
        <code>{name}</code> {detail}
      </small>
    </span>
  )
}

function Where({ row }: { row: Found }) {
  const { t } = useTranslation('images')
  if (!row.path) return <span className="quiet">{t(`found.place.${row.place ?? 'image'}`, { defaultValue: row.place })}</span>
  return <code title={row.path}>{row.path}{row.line ? `:${row.line}` : ''}</code>
}
