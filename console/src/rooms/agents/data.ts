export interface Agent {
  id: string
  name: string
  version: string
  state: 'online' | 'late' | 'offline'
  host_id: string
  address: string
  /** Share of one core, 0–1. */
  cpu: number | null
  rss: number | null
  degrade: number
  degrade_reason: string
  sensor: {
    state: 'on' | 'off' | 'degraded'
    reason?: string
    programs?: string[]
    events?: number
    dropped?: Record<string, number>
    throttled?: number
    processes?: number
  }
  spool: { items?: number; bytes?: number; dropped?: Record<string, number>; error?: string }
  capabilities: Record<string, unknown>
  runtimes: { name: string; reachable: boolean; error?: string }[]
  errors: string[]
  uptime: number | null
  plan_version: string
  /** Empty until the agent has told it. */
  protection?: { level?: number; means?: Partial<Record<(typeof MEANS_OF)[number], string | boolean>>; reasons?: Record<string, string>; enforce?: boolean }
  dropped: number
  rejected: number
  enrolled_at: string
  last_seen: string
  certificate_expires_at: string
  conflicts: number
}

/** What can be stopped. */
export const MEANS_OF = ['exec', 'file', 'network', 'container', 'quarantine'] as const

/** The agent's budget: docs/guides/agent.md. */
export const MAX_RSS = 30 * 1024 * 1024
export const MAX_CPU = 0.05
