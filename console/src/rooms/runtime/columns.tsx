/** Columns of alerts: those that every alert has, and those that only one engine's alerts have. */
import type { TFunction } from 'i18next'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { Column } from '@/parts/DataTable'
import { EntityLink } from '@/parts/EntityLink'
import { Severity } from '@/parts/Severity'
import { Time } from '@/parts/Time'
import { number } from '@/shell/i18n'
import { callOf, commandOf, errorOf, indicatorOf, peerOf, titleOf, type Alert } from './data'
import { Result } from './Result'
import { useHow } from './Sentence'
import { techniqueOf } from './mitre'

const code = (text: string | undefined) => (text ? <code title={text}>{text}</code> : <span className="quiet">–</span>)

function common(t: TFunction<'runtime'>): Column<Alert>[] {
  return [
    { key: 'severity', title: t('column.severity'), sort: 'severity', width: 96, render: (row) => <Severity name={row.severity} /> },
    { key: 'last_seen', title: t('column.lastSeen'), width: 100, sort: 'last_seen', render: (row) => <Time at={row.last_seen} /> },
    {
      key: 'title',
      title: t('column.title'),
      width: 225,
      render: (row) => (
        <span title={titleOf(row)}>
          {row.count > 1 && <b className="times">×{number(row.count)}</b>}
          {titleOf(row)}
        </span>
      ),
    },
    {
      key: 'container',
      title: t('column.container'),
      width: 140,
      render: (row) =>
        row.container.id ? (
          <EntityLink kind="container" id={row.container.id}>
            {row.container.name || row.container.id.slice(0, 12)}
          </EntityLink>
        ) : (
          <span className="quiet">{t('onHost')}</span>
        ),
    },
    { key: 'image', title: t('column.image'), width: 130, render: (row) => <EntityLink kind="image" id={row.container.image_id}>{row.container.image}</EntityLink> },
    { key: 'category', title: t('column.category'), width: 134, sort: 'category', render: (row) => t(`category.${row.category}`) },
    { key: 'host', title: t('column.host'), width: 84, sort: 'host_name', render: (row) => <EntityLink kind="host" id={row.host_id}>{row.host_name}</EntityLink> },
    { key: 'result', title: t('column.result'), width: 148, render: (row) => <Result alert={row} /> },
    { key: 'state', title: t('column.state'), width: 76, sort: 'state', render: (row) => t(`state.${row.state}`) },
    { key: 'count', title: t('column.count'), width: 72, sort: 'count', align: 'right', hidden: true, render: (row) => number(row.count) },
    { key: 'process', title: t('column.process'), width: 170, hidden: true, render: (row) => code(row.process.exe) },
    { key: 'command', title: t('column.command'), width: 220, hidden: true, render: (row) => code(commandOf(row.process)) },
    { key: 'user', title: t('column.user'), width: 80, hidden: true, render: (row) => row.process.user ?? '' },
    { key: 'peer', title: t('column.peer'), width: 150, hidden: true, render: (row) => code(peerOf(row)) },
    { key: 'rule', title: t('column.rule'), width: 170, sort: 'rule', hidden: true, render: (row) => <EntityLink kind="rule" id={row.rule} /> },
    { key: 'first_seen', title: t('column.firstSeen'), width: 120, sort: 'first_seen', hidden: true, render: (row) => <Time at={row.first_seen} /> },
  ]
}

export function useAlertColumns(): Column<Alert>[] {
  const { t } = useTranslation('runtime')
  return useMemo(() => common(t), [t])
}

/** What an engine's table shows besides, after the title; and which of the common columns it brings forward. */
export function useEngineColumns(category: string): Column<Alert>[] {
  const { t } = useTranslation('runtime')
  const how = useHow()
  return useMemo(() => {
    const own: Record<string, Column<Alert>[]> = {
      escape: [{ key: 'technique', title: t('column.technique'), width: 170, render: (row) => techniqueOf(row, t) }],
      reverse_shell: [
        { key: 'peer', title: t('column.peer'), width: 150, render: (row) => code(peerOf(row)) },
        { key: 'shell', title: t('column.shell'), width: 74, render: (row) => code(row.process.name || row.process.exe) },
        { key: 'relay', title: t('column.relay'), width: 126, render: (row) => t(`relay.${row.evidence.relay ?? 'direct'}`, { defaultValue: row.evidence.relay }) },
      ],
      abnormal_process: [
        { key: 'command', title: t('column.command'), width: 230, render: (row) => code(commandOf(row.process)) },
        { key: 'parent', title: t('column.parent'), width: 110, render: (row) => code(row.ancestors[0]?.name || row.ancestors[0]?.exe) },
        { key: 'user', title: t('column.user'), width: 70, render: (row) => row.process.user ?? '' },
      ],
      file_tampering: [
        { key: 'file', title: t('column.file'), width: 184, render: (row) => code(row.evidence.file?.path || row.evidence.paths?.[0]) },
        { key: 'how', title: t('column.how'), width: 136, render: how },
        { key: 'process', title: t('column.process'), width: 116, render: (row) => code(row.process.exe) },
      ],
      risky_syscall: [
        { key: 'call', title: t('column.call'), width: 130, render: (row) => code(callOf(row)) },
        {
          key: 'outcome',
          title: t('column.outcome'),
          width: 110,
          render: (row) => (errorOf(row.evidence.result) ? <span className="quiet">{errorOf(row.evidence.result)}</span> : <span className="medium">{t('succeeded')}</span>),
        },
        { key: 'process', title: t('column.process'), width: 116, render: (row) => code(row.process.exe) },
      ],
      malware: [
        { key: 'file', title: t('column.file'), width: 210, render: (row) => code(row.evidence.file?.path || row.process.exe) },
        { key: 'signature', title: t('column.signature'), width: 170, render: (row) => code(row.evidence.sample?.rule || indicatorOf(row)?.kind) },
        { key: 'hash', title: 'SHA-256', width: 110, render: (row) => code(row.evidence.sample?.sha256?.slice(0, 16)) },
      ],
      network: [
        { key: 'peer', title: t('column.peer'), width: 180, render: (row) => code(peerOf(row)) },
        { key: 'listed', title: t('column.listed'), width: 110, render: (row) => indicatorOf(row)?.kind ?? <span className="quiet">–</span> },
        { key: 'process', title: t('column.process'), width: 116, render: (row) => code(row.process.exe) },
      ],
    }
    const mine = own[category] ?? []
    const taken = new Set(mine.map((column) => column.key))
    const rest = common(t)
      .filter((column) => column.key !== 'category' && !taken.has(column.key))
      .map((column) => (column.key === 'title' ? { ...column, width: 196 } : ['image', 'state'].includes(column.key) ? { ...column, hidden: true } : column))
    const place = rest.findIndex((column) => column.key === 'container')
    return [...rest.slice(0, place), ...mine, ...rest.slice(place)]
  }, [t, category, how])
}
