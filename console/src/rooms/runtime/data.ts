/** What the runtime room shows: alerts and what belongs to one. Rules and policy: policy.ts; what is done about it: responses.ts. */
import { useQuery } from '@tanstack/react-query'
import { get, query, type Bilingual } from '@/api/client'
import type { Counts } from '@/parts/Severity'
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
  cwd?: string
  start?: string
  in_container?: boolean
}

export interface AlertFile {
  path?: string
  fs?: string
  flags?: string
  upper?: boolean
  memfd?: boolean
  deleted?: boolean
}

/** What intelligence lists an address, name or hash as. */
export interface Indicator {
  kind?: string
  value?: string
  source?: string
  confidence?: number
}

export interface Evidence {
  kind?: string
  result?: number
  fields?: Record<string, unknown>
  peer?: Address
  file?: AlertFile
  stdio?: { fd: number; type: string; peer?: Address; outgoing?: boolean | null }[]
  relay?: string
  relay_peer?: Address
  relay_pid?: number
  reason?: string
  syscall?: string
  args?: unknown
  paths?: string[]
  /** The question, of what asked for a name. */
  dns?: { name?: string; type?: string }
  /** What the scanner says of the file. */
  sample?: { verdict?: string; rule?: string; family?: string; class?: string; sha256?: string; size?: number; executed?: boolean }
  net_indicator?: Indicator
  dns_indicator?: Indicator
  sample_indicator?: Indicator
  /** Where the running file comes from. */
  origin?: string
  script?: string
  script_origin?: string
  /** What a Falco rule says of it in its own words. */
  output?: string
  request?: string
  target?: number
  fstype?: string
  technique?: string
  [more: string]: unknown
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
  means?: string
  when?: string
  container: { id?: string; name?: string; image?: string; image_id?: string; image_digest?: string; pod?: string; namespace?: string; privileged?: boolean; complete?: boolean }
  process: Partial<Program> & {
    ppid?: number
    vpid?: number
    uid?: number
    euid?: number
    tty?: string
    by_exec?: boolean
    capabilities?: string
    marks?: string[]
  }
  ancestors: Program[]
  evidence: Evidence
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

export interface Most {
  id: string
  severity: string
  count: number
  container_name?: string
  title?: string
  title_zh?: string
}

/** The new alerts of one category, or of all. */
export interface Summary {
  new: number
  severities: Counts
  results: Record<string, number>
  containers: Most[]
  images: Most[]
  rules: Most[]
}

/** The engines with a page of their own: category → the last part of its address. */
export const ENGINES: Record<string, string> = {
  escape: 'escape',
  reverse_shell: 'reverse-shell',
  abnormal_process: 'abnormal-process',
  file_tampering: 'file-tampering',
  risky_syscall: 'risky-syscall',
  malware: 'malware',
  network: 'network',
}
export const CATEGORIES = [...Object.keys(ENGINES), 'k8s_audit', 'self']
export const RESULTS = ['none', 'blocked', 'killed_after_effect', 'failed']

/** Where the alerts of a category are listed. */
export const placeOfCategory = (category: string, words: Record<string, string> = {}) =>
  ENGINES[category] ? `/runtime/${ENGINES[category]}${query(words)}` : `/alerts${query({ category, ...words })}`

export const useSummary = (category: string) =>
  useQuery({ queryKey: ['alerts', 'summary', category], queryFn: ({ signal }) => get<Summary>(`/alerts/summary${query({ category })}`, signal) })

export interface Timeline {
  items: Alert[]
  truncated: boolean
}

export const useTimeline = (id: string) =>
  useQuery({ queryKey: ['alerts', 'timeline', id], queryFn: ({ signal }) => get<Timeline>(`/alerts/${encodeURIComponent(id)}/timeline?before=600&after=600`, signal) })

/** One of an alert's texts in the reader's language. */
export function textOf(alert: Pick<Alert, 'title' | 'title_zh' | 'why' | 'why_zh' | 'advice' | 'advice_zh'>, name: 'title' | 'why' | 'advice'): string {
  const chinese = alert[`${name}_zh`]
  return (language() === 'zh' && chinese) || alert[name] || ''
}

export const titleOf = (alert: { title?: string; title_zh?: string }) => (language() === 'zh' && alert.title_zh) || alert.title || ''

export function addressText(address: Address | undefined): string {
  if (!address) return ''
  if (address.path) return address.path
  const host = address.host?.includes(':') ? `[${address.host}]` : (address.host ?? '')
  return address.port ? `${host}:${address.port}` : host
}

/** The other end of what happened, wherever the evidence has it. */
export function peerOf({ evidence: { peer, relay_peer, stdio, dns } }: Alert): string {
  return dns?.name || addressText(peer ?? relay_peer ?? stdio?.find((one) => one.peer)?.peer)
}

export const indicatorOf = ({ evidence }: Alert) => evidence.net_indicator ?? evidence.dns_indicator ?? evidence.sample_indicator

export const commandOf = ({ args, exe, name }: Partial<Program>) => (args?.length ? args.join(' ') : exe || name || '')

/** The system call's name: the sensor's own where it has one, else the kind of event. */
export const callOf = ({ evidence }: Alert) => evidence.syscall || String(evidence.fields?.['evt.type'] ?? '') || evidence.kind || ''

const ERRNO: Record<number, string> = { 1: 'EPERM', 2: 'ENOENT', 3: 'ESRCH', 9: 'EBADF', 11: 'EAGAIN', 12: 'ENOMEM', 13: 'EACCES', 14: 'EFAULT', 16: 'EBUSY', 17: 'EEXIST', 19: 'ENODEV', 20: 'ENOTDIR', 22: 'EINVAL', 28: 'ENOSPC', 30: 'EROFS', 38: 'ENOSYS', 95: 'EOPNOTSUPP', 101: 'ENETUNREACH', 110: 'ETIMEDOUT', 111: 'ECONNREFUSED', 113: 'EHOSTUNREACH', 115: 'EINPROGRESS' }

/** `EPERM` for -1; nothing for success. */
export const errorOf = (result: number | undefined) => (result !== undefined && result < 0 ? (ERRNO[-result] ?? `errno ${-result}`) : '')

export type { Bilingual }
