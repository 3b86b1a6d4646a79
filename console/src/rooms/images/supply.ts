/** Scans of many images, registries, policies and decisions: what the API says of them. docs/reference/api.md */
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App } from 'antd'
import type { Bilingual } from '@/api/client'
import { useExplain } from '@/parts/Failure'

export const KINDS = ['secrets', 'malware', 'misconfigurations'] as const
export type FoundKind = (typeof KINDS)[number]

export interface Found {
  id: string
  image_id?: string
  image?: string
  rule?: string
  check?: string
  title?: string
  about?: string
  severity: string
  certainty: string
  category?: string
  evidence?: string
  shown?: string
  context?: string
  family?: string
  sha256?: string
  member?: string
  place?: string
  line?: number
  path: string
  layer: number
  deleted?: boolean
  first_seen: string
  /** What the rule says of itself; empty for a rule of a user's own. */
  text?: { title?: Bilingual; why?: Bilingual; fix?: Bilingual }
}

export interface Many {
  id: string
  name: string
  schedule: string
  scope: { kind: string; exclude: string[] }
  scanners: string[]
  state: 'running' | 'done' | 'stopped' | 'failed'
  total: number
  done: number
  failed: number
  skipped: number
  progress: number
  seconds_left: number | null
  message: string
  created_by: string
  created_at: string
  finished_at: string | null
}

export interface Target {
  number: number
  image_id: string
  target: string
  state: string
  error: string
}

export interface Schedule {
  id: string
  name: string
  enabled: boolean
  form: { scope: { kind: string }; scanners: string[]; timetable: { every_days: number; start: string; end: string; zone: string } }
  next_at: string | null
  last_scan: string
  scans: number
}

export interface RegistryRow {
  id: string
  name: string
  url: string
  kind: string
  username: string
  has_password: boolean
  enabled: boolean
  state: string
  error: string
  progress: number
  message: string
  images: number
  synced_at: string | null
  next_at: string | null
  webhook_token?: string
}

export interface Reason {
  policy: string
  rule: string
  message: string
  count: number
  examples: string[]
}

export interface PolicyRow {
  id: string
  name: string
  enabled: boolean
  mode: 'observe' | 'enforce'
  rules: Record<string, unknown>
  include: string[]
  exclude: string[]
  observe_until: string
}

export interface Decided {
  image_id: string
  name: string
  decision: string
  reasons: Reason[]
}

export interface IgnoreRow {
  id: string
  kind: string
  ids?: string[]
  packages?: string[]
  images?: string[]
  paths?: string[]
  name?: string
  statements?: number
  reason: string
  status: string
  owner: string
  until: string
  created_by: string
  created_at: string
}

/** A change whose lists are stale afterwards, and whose refusal is told. */
export function useChange<T>(work: (wish: T) => Promise<unknown>, ...keys: string[]) {
  const client = useQueryClient()
  const { message } = App.useApp()
  const explain = useExplain()
  return useMutation({
    mutationFn: work,
    onSettled: () => Promise.all(keys.map((key) => client.invalidateQueries({ queryKey: [key] }))),
    onError: (error) => void message.error(Object.values(explain(error)).filter(Boolean).join(': '), 8),
  })
}
