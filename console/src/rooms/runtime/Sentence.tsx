/** What happened, as one sentence: who, where, what, how often, and what came of it. */
import { useCallback, type ReactNode } from 'react'
import { Trans, useTranslation } from 'react-i18next'
import { EntityLink } from '@/parts/EntityLink'
import { number } from '@/shell/i18n'
import { addressText, callOf, commandOf, errorOf, peerOf, type Alert } from './data'
import { aboutResult, Result } from './Result'

/** How a file was changed, as a key of `how`. */
export function howOf({ evidence }: Alert): string {
  const call = evidence.syscall ?? ''
  const flags = evidence.file?.flags ?? ''
  if (call.startsWith('rename')) return 'replaced'
  if (call.startsWith('unlink') || call === 'rmdir') return 'deleted'
  if (/^(f?chmod|fchmodat)/.test(call)) return 'permissions'
  if (/chown/.test(call)) return 'owner'
  if (/link/.test(call)) return 'linked'
  if (call === 'truncate' || call === 'ftruncate' || flags.includes('O_TRUNC')) return 'overwritten'
  if (flags.includes('O_APPEND')) return 'appended'
  if (flags.includes('O_CREAT')) return 'created'
  if (evidence.kind === 'read') return 'read'
  if (evidence.kind === 'exec') return 'executed'
  return 'written'
}

export function useHow(): (alert: Alert) => ReactNode {
  const { t } = useTranslation('runtime')
  return useCallback((alert) => t(`how.${howOf(alert)}`), [t])
}

/** What the event was, with its object. */
function useDid(alert: Alert): string {
  const { t } = useTranslation('runtime')
  const { evidence } = alert
  const file = evidence.file?.path || evidence.paths?.[0] || ''
  const peer = evidence.dns?.name || addressText(evidence.peer) || peerOf(alert)
  const words = { file, peer, call: callOf(alert), command: commandOf(alert.process), target: evidence.target ?? '', request: evidence.request ?? '', flags: String(evidence['flags'] ?? ''), type: evidence.fstype ?? '' }
  const kind = evidence.kind ?? ''
  if (alert.category === 'reverse_shell' && peer) return t(kind === 'connect' ? 'did.connect' : 'did.shell', words)
  if ((kind === 'open' || kind === 'call') && file && alert.category !== 'risky_syscall') return t('did.file', { ...words, how: t(`how.${howOf(alert)}`) })
  if (evidence.dns?.name) return t('did.dns', words)
  if (['connect', 'send'].includes(kind) && peer) return t(`did.${kind}`, words)
  if (kind === 'scan') return t(evidence.sample?.executed ? 'did.ranFile' : 'did.wroteFile', words)
  if (['exec', 'read', 'dup', 'setns', 'unshare', 'ptrace', 'mount', 'cred', 'uring', 'call', 'load'].includes(kind)) return t(`did.${kind}`, words)
  return t('did.other')
}

export function Sentence({ alert }: { alert: Alert }) {
  const { t } = useTranslation('runtime')
  const did = useDid(alert)
  const { process, container } = alert
  const error = errorOf(alert.evidence.result)
  const failed = error === 'EINPROGRESS' ? '' : error // a connection that was begun and not waited for
  const program = process.name || process.exe?.split('/').pop() || t('someProcess')
  const place = container.id ? (
    <EntityLink kind="container" id={container.id}>
      {container.name || container.id.slice(0, 12)}
    </EntityLink>
  ) : (
    <EntityLink kind="host" id={alert.host_id}>
      {alert.host_name}
    </EntityLink>
  )
  return (
    <div className={`sentence ${alert.severity}-edge`} data-test="sentence">
      <p>
        <Trans
          t={t}
          i18nKey={container.id ? 'sentence.container' : 'sentence.host'}
          values={{ program, user: process.user ?? '?', did }}
          components={{ who: <code />, place: <span>{place}</span>, what: <b /> }}
          tOptions={{ interpolation: { escapeValue: true } }}
        />
        {failed && <span className="quiet"> {t('sentence.refused', { error: failed })}</span>}
        {alert.count > 1 && <span> {t('sentence.times', { count: alert.count, shown: number(alert.count) })}</span>}
      </p>
      <p className="sentence-result">
        <Result alert={alert} /> <span className="quiet">· {aboutResult(alert, t)}</span>
      </p>
    </div>
  )
}
