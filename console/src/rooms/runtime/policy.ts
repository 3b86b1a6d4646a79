/** What the nodes judge by, and who decided it: rules, groups, own files and forms, waivers, profiles, settings. */
import { useQuery } from '@tanstack/react-query'
import { get, query, type Bilingual, type Page } from '@/api/client'
import type { Alert } from './data'

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
  silenced?: number
  group?: string
  source?: 'system' | 'user' | 'falco'
}

export interface RuleDetail extends Rule {
  condition: string
  examples: { name: string; fires: boolean; event?: unknown; events?: unknown }[]
  /** A user's file by its id, a packaged one by its name. */
  file: string
  line: number
}

export interface RuleGroup {
  id: string
  title: Bilingual
  category: string
  rules: number
  enabled: boolean
  builtin: boolean
}

export interface RuleError {
  line: number
  rule?: string
  message: string
  hint?: string
}

export interface Scope {
  images?: string[]
  digests?: string[]
  namespaces?: string[]
  labels?: Record<string, string>
}

export type Format = 'native' | 'falco'

export interface Audited {
  created_by?: string
  created_at?: string
  updated_by?: string
  updated_at?: string
}

/** all, part (the rest has errors), last_good (the text before), none, off, or pending until the plan is made. */
export type InForce = 'all' | 'part' | 'last_good' | 'none' | 'off' | 'pending'

export interface RuleFile extends Audited {
  id: string
  name: string
  format: Format
  /** Only with the file itself, not in lists. */
  text: string
  in_force: InForce
  enabled: boolean
  rules: number
  errors: RuleError[]
  scope: Scope
}

export interface Checked {
  rules: { id: string; title: string | Bilingual; severity: string; action: string; line: number }[]
  macros: unknown
  lists: unknown
  errors: RuleError[]
  warnings: (string | RuleError)[]
}

export interface Replay {
  state: 'running' | 'done' | 'failed'
  nodes: { agent_id: string; name: string; state: string; from: string | null; to: string | null; events: number; error?: string }[]
  hits: number
  alerts: Alert[]
  truncated: boolean
}

export interface Waiver extends Audited {
  id: string
  rules: string[]
  /** Of those of its rules that there are. */
  titles?: Record<string, Bilingual>
  fields: Record<string, string | string[]>
  condition: string
  owner: string
  reason: string
  expires_at: string | null
  silenced: number
  last_silenced: string | null
  state: 'active' | 'expired'
}

export interface Preview {
  count: number
  alerts: Alert[]
  by_rule: Record<string, number>
  oldest: string | null
  /** More alerts than a preview looks at. */
  truncated?: boolean
  /** Fields that stored alerts do not carry: on them the answer does not rest. */
  unknown?: string[]
}

export type Mode = 'discover' | 'monitor' | 'protect'
export const MODES: Mode[] = ['discover', 'monitor', 'protect']

export interface Profile extends Audited {
  id: string
  image_digest: string
  image: string
  mode: Mode
  programs: number
  learned_since: string | null
  last_new: string | null
  violations_7d: number
  containers: number
  fallback: { at: string; reason: string } | null
  /** It has learned long enough and found nothing new lately. */
  ready?: boolean
}

export interface ProfileProgram {
  path: string
  first_seen: string | null
  last_seen: string | null
  count: number
  parent: string
  source: 'learned' | 'manual'
}

export interface ProfileDetail extends Omit<Profile, 'programs'> {
  programs: ProfileProgram[]
  /** The newest containers that run from the image. */
  running?: { id: string; name: string; host_name: string }[]
}

export interface Settings {
  enforce: boolean
  samples: boolean
  quarantine_malware: boolean
  learning_hours: number
  new_images: 'discover' | 'off'
}

export interface PlanState {
  version: string
  compiled_at: string | null
  error: string
  pending: boolean
  problems: RuleError[]
}

export interface AuditEntry {
  id: string
  at: string
  who: string
  act: string
  thing: string
  what: string
}

const path = (word: string) => encodeURIComponent(word)
export const rulePath = (id: string) => `/rules/${path(id)}`
export const filePath = (id: string) => `/rule-files/${path(id)}`
export const waiverPath = (id: string) => `/waivers/${path(id)}`
export const profilePath = (id: string) => `/profiles/${path(id)}`

export const useGroups = () =>
  useQuery({ queryKey: ['ruleGroups'], queryFn: ({ signal }) => get<Page<RuleGroup>>('/rule-groups?limit=500', signal) })

export const useRuleFile = (id: string) =>
  useQuery({ queryKey: ['ruleFiles', 'one', id], enabled: Boolean(id), queryFn: ({ signal }) => get<RuleFile>(filePath(id), signal) })

export const useUserRule = (id: string, enabled: boolean) =>
  useQuery({ queryKey: ['userRules', 'one', id], enabled, queryFn: async ({ signal }) => (await get<Page<UserRule>>(`/user-rules${query({ id })}`, signal)).items[0] ?? null })

export const useSettings = () => useQuery({ queryKey: ['runtimeSettings'], queryFn: ({ signal }) => get<Settings>('/runtime/settings', signal) })

/** What is in force since when, and what of the policy is not. */
export const usePlanState = () =>
  useQuery({ queryKey: ['rules', 'state'], queryFn: ({ signal }) => get<PlanState>('/rules/state', signal), refetchInterval: ({ state }) => (state.data?.pending ? 2000 : 60_000) })

export const useProfile = (id: string) =>
  useQuery({ queryKey: ['profiles', 'one', id], queryFn: ({ signal }) => get<ProfileDetail>(profilePath(id), signal) })

/** A rule filled in as a form. Each list means "one of"; all that is given must fit. */
export interface RuleForm {
  process: string[]
  arguments: string[]
  parent: string[]
  file: string[]
  access: 'write' | 'read' | 'any'
  syscall: string[]
  where: 'container' | 'host' | 'all'
}

export interface UserRule extends Audited, RuleForm {
  id: string
  title: string
  action: 'alert' | 'block' | 'allow'
  severity: string
  enabled: boolean
  in_force: InForce
  scope: Scope
  /** As it stands in the plan: a native rule, or an allowance's condition. */
  text: string
}

export const userRulePath = (id: string) => `/user-rules/${path(id)}`

/** A rule's title, which Falco's rules have in one language. */
export const titleText = (title: string | Bilingual): Bilingual => (typeof title === 'string' ? { en: title, zh: title } : title)
