import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Copyable } from '@/parts/Copyable'
import { Facts } from '@/parts/Facts'
import { bytes } from '@/shell/i18n'
import { addressText, callOf, errorOf, indicatorOf, type Alert } from './data'
import { howOf } from './Sentence'

type Row = [name: string, value: ReactNode]
const SHOWN = new Set(['fields', 'stdio', 'peer', 'relay_peer', 'relay', 'relay_pid', 'file', 'kind', 'result', 'reason', 'syscall', 'args', 'paths', 'dns', 'sample', 'net_indicator', 'dns_indicator', 'sample_indicator', 'origin', 'script', 'script_origin', 'output', 'request', 'target', 'fstype', 'flags', 'technique'])

/** What the node saw: file, sockets, names, the call. What has no words of its own here is shown as it came. */
export function EvidenceFacts({ alert }: { alert: Alert }) {
  const { t } = useTranslation('runtime')
  const { evidence } = alert
  const copy = (text: string | undefined) => (text ? <Copyable key={text} text={text} /> : undefined)
  const code = (value: unknown) => (value === undefined || value === '' ? undefined : <code>{typeof value === 'string' ? value : JSON.stringify(value)}</code>)
  const { file, sample } = evidence
  const listed = indicatorOf(alert)
  const marks = (['upper', 'memfd', 'deleted'] as const).filter((mark) => file?.[mark]).map((mark) => t(`mark.${mark}`))
  const rows: Row[] = [
    [t('evidence.event'), evidence.kind ? t(`kind.${evidence.kind}`, { defaultValue: evidence.kind }) : undefined],
    [t('column.call'), evidence.syscall ? code(callOf(alert)) : undefined],
    [t('column.outcome'), evidence.result === undefined ? undefined : errorOf(evidence.result) || t('succeeded')],
    [t('column.file'), copy(file?.path)],
    [t('column.how'), file?.path && ['open', 'call'].includes(evidence.kind ?? '') ? t(`how.${howOf(alert)}`) : undefined],
    [t('evidence.marks'), marks.length ? marks.join(', ') : undefined],
    [t('evidence.fs'), file?.fs || undefined],
    [t('evidence.paths'), evidence.paths?.length ? code(evidence.paths.join(' → ')) : undefined],
    [t('column.peer'), copy(addressText(evidence.peer))],
    [t('evidence.domain'), evidence.dns?.name ? <Copyable key="dns" text={evidence.dns.name} /> : undefined],
    [t('column.listed'), listed ? [listed.kind, listed.value, listed.source].filter(Boolean).join(' · ') : undefined],
    ...(evidence.stdio ?? []).map((one): Row => [
      t(`stdio.${one.fd}`),
      <code key={one.fd}>
        {one.type}
        {one.peer ? ` ${one.outgoing === false ? '←' : '→'} ${addressText(one.peer)}` : ''}
      </code>,
    ]),
    [t('column.relay'), evidence.relay ? t(`relay.${evidence.relay}`, { defaultValue: evidence.relay }) : undefined],
    [t('evidence.relayPeer'), copy(addressText(evidence.relay_peer))],
    [t('evidence.relayPid'), code(evidence.relay_pid)],
    [t('evidence.request'), code(evidence.request)],
    [t('evidence.target'), evidence.target ? code(evidence.target) : undefined],
    [t('evidence.flags'), evidence['flags'] ? code(evidence['flags']) : undefined],
    [t('evidence.fstype'), code(evidence.fstype)],
    [t('evidence.capabilities'), alert.process.capabilities ? <details key="caps"><summary>{t('evidence.capabilityCount', { count: alert.process.capabilities.split(/[\s,]+/).length })}</summary><small>{alert.process.capabilities}</small></details> : undefined],
    ['SHA-256', copy(sample?.sha256)],
    [t('evidence.verdict'), sample?.verdict ? t(`verdict.${sample.verdict}`, { defaultValue: sample.verdict }) : undefined],
    [t('column.signature'), sample?.rule ? code([sample.rule, sample.family, sample.class].filter(Boolean).join(' · ')) : undefined],
    [t('evidence.size'), sample?.size === undefined ? undefined : bytes(sample.size)],
    [t('evidence.origin'), evidence.origin ? t(`origin.${evidence.origin}`, { defaultValue: evidence.origin }) : undefined],
    [t('evidence.script'), evidence.script ? code([evidence.script, evidence.script_origin && t(`origin.${evidence.script_origin}`, { defaultValue: evidence.script_origin })].filter(Boolean).join(' · ')) : undefined],
    ...Object.entries(evidence)
      .filter(([key]) => !SHOWN.has(key))
      .map(([key, value]): Row => [key, code(value)]),
  ]
  const fields = Object.entries(evidence.fields ?? {})
  return (
    <>
      {evidence.output && <p className="output">{evidence.output}</p>}
      <Facts items={rows} />
      {fields.length > 0 && (
        <details className="more">
          <summary className="quiet">{t('fields')}</summary>
          <Facts items={fields.map(([key, value]) => [key, <code key={key}>{String(value)}</code>])} />
        </details>
      )}
    </>
  )
}
