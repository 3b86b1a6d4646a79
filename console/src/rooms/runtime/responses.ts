/** What people (or rules) did about it: one record an action, which can be followed and undone. */
import { useQuery } from '@tanstack/react-query'
import { get, post, query, type Page } from '@/api/client'
import type { Alert } from './data'

export type Action = 'kill' | 'pause' | 'unpause' | 'stop' | 'kill_container' | 'isolate' | 'release' | 'quarantine' | 'restore'

export interface Wish {
  action: Action
  agent_id: string
  container_id?: string
  pid?: number
  /** When the process started: with the pid it names one process for ever. */
  start?: string
  path?: string
  alert_id?: string
}

export interface Response {
  id: string
  action: Action
  agent_id: string
  host_name: string
  container_id: string
  container_name: string
  target: string
  state: 'waiting' | 'running' | 'done' | 'failed'
  result: string
  reason: string
  message?: string
  means: string
  dry_run: boolean
  undone_by: string | null
  undo_of: string | null
  alert_id: string | null
  created_by: string
  created_at: string
  finished_at: string | null
  data: Record<string, unknown>
}

export const UNDO: Partial<Record<Action, Action>> = { pause: 'unpause', isolate: 'release', quarantine: 'restore' }

export const respond = (wish: Wish, dry_run: boolean) => post<Response>('/responses', { ...wish, dry_run })
export const undo = (id: string) => post<Response>(`/responses/${encodeURIComponent(id)}/undo`)

export const isOpen = (one: Response) => one.state === 'waiting' || one.state === 'running'
export const canUndo = (one: Response) => one.state === 'done' && !one.dry_run && !one.undone_by && one.action in UNDO

/** Follow one to its end. The stream says when it changes; asking again is for when the stream is away. */
export const useResponse = (id: string | undefined) =>
  useQuery({
    queryKey: ['responses', 'one', id],
    enabled: Boolean(id),
    queryFn: async ({ signal }) => (await get<Page<Response>>(`/responses${query({ id })}`, signal)).items[0] ?? null,
    refetchInterval: ({ state }) => (state.data && !isOpen(state.data) ? false : 1000),
  })

/** How many containers are isolated and files in quarantine now. */
export const useInForce = (list: 'isolations' | 'quarantine') =>
  useQuery({ queryKey: [list, 'count'], queryFn: async ({ signal }) => (await get<Page<Response>>(`/${list}?limit=1`, signal)).total })

/** What can be done about an alert, and to what. */
export function wishesOf(alert: Alert): Wish[] {
  const base = { agent_id: alert.agent_id, alert_id: alert.id }
  const container_id = alert.container.id ?? ''
  const path = fileOf(alert)
  return [
    ...(alert.process.pid ? [{ ...base, action: 'kill' as const, container_id, pid: alert.process.pid, start: alert.process.start ?? '' }] : []),
    ...(container_id ? (['pause', 'stop', 'kill_container', 'isolate'] as const).map((action) => ({ ...base, action, container_id })) : []),
    ...(container_id && path ? [{ ...base, action: 'quarantine' as const, container_id, path }] : []),
  ]
}

/** The file that could be taken away: the one that was touched, else the program that is not of the image. */
export function fileOf(alert: Alert): string {
  const touched = alert.evidence.file?.path
  if (touched?.startsWith('/') && ['file_tampering', 'malware', 'abnormal_process'].includes(alert.category)) return touched
  const own = alert.process.marks?.includes('upper') && !alert.process.marks.includes('deleted')
  return own && alert.process.exe?.startsWith('/') ? alert.process.exe : ''
}
