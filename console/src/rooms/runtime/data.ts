import type { Bilingual } from '@/api/client'
import { language } from '@/shell/i18n'

export interface Address {
  family: string
  host?: string
  port?: number
  path?: string
}

export interface Program {
  pid: number
  exe: string
  name: string
  args: string[]
  user?: string
  start?: string
  in_container?: boolean
}

/** `seawall.alert/1` with what the server adds: docs/reference/schemas/alert.json. */
export interface Alert {
  id: string
  rule: string
  title: string
  title_zh?: string
  why?: string
  why_zh?: string
  advice?: string
  advice_zh?: string
  category: string
  severity: string
  action: 'alert' | 'block'
  result: 'none' | 'blocked' | 'killed_after_effect' | 'failed'
  container: { id?: string; name?: string; image?: string; image_id?: string; image_digest?: string; pod?: string; namespace?: string; privileged?: boolean; complete?: boolean }
  process: Partial<Program> & {
    ppid?: number
    vpid?: number
    cwd?: string
    uid?: number
    euid?: number
    tty?: string
    by_exec?: boolean
    capabilities?: string
    marks?: string[]
  }
  ancestors: Program[]
  evidence: {
    kind?: string
    result?: number
    fields?: Record<string, unknown>
    peer?: Address
    file?: { path?: string; fs?: string; flags?: string }
    stdio?: { fd: number; type: string; peer?: Address; outgoing?: boolean | null }[]
    relay?: string
    relay_peer?: Address
    reason?: string
    [more: string]: unknown
  }
  count: number
  first_seen: string
  last_seen: string
  mitre: string[]
  host_id: string
  host_name: string
  agent_id: string
  state: 'new' | 'handled' | 'ignored'
  remark: string
  handled_by: string | null
  handled_at: string | null
}

export interface Rule {
  id: string
  title: Bilingual
  why: Bilingual
  advice: Bilingual
  category: string
  severity: string
  action: 'alert' | 'block'
  kinds: string[]
  mitre: string[]
  enabled: boolean
  alerts: number
}

export const CATEGORIES = ['escape', 'reverse_shell', 'abnormal_process', 'file_tampering', 'risky_syscall', 'malware', 'network', 'k8s_audit', 'self']
export const RESULTS = ['none', 'blocked', 'killed_after_effect', 'failed']

/** One of an alert's texts in the reader's language. */
export function textOf(alert: Alert, name: 'title' | 'why' | 'advice'): string {
  const chinese = alert[`${name}_zh`]
  return (language() === 'zh' && chinese) || alert[name] || ''
}

export const titleOf = (alert: Alert) => textOf(alert, 'title')

export function addressText(address: Address | undefined): string {
  if (!address) return ''
  if (address.path) return address.path
  const host = address.host?.includes(':') ? `[${address.host}]` : (address.host ?? '')
  return address.port ? `${host}:${address.port}` : host
}
