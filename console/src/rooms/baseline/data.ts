import { useQuery } from '@tanstack/react-query'
import { get, type Bilingual, type Page } from '@/api/client'

export const OUTCOMES = ['pass', 'fail', 'manual', 'not_applicable', 'not_checked', 'waived'] as const
export type Outcome = (typeof OUTCOMES)[number]
export type Counts = Record<Outcome, number>

export interface Benchmark {
  id: string
  title: Bilingual
  version: string
  state: 'never' | 'running' | 'done'
  last_run: string | null
  counts: Counts
  rate: number | null
  assets: number
  checks: number
}

export interface Check {
  check: string
  title: Bilingual
  severity: string
  level: number
  asset_kind: string
  why: Bilingual
  fix: Bilingual
  mappings: Record<string, string[]>
  manual: boolean
  counts: Counts
}

export interface Asset {
  kind: string
  id: string
  name: string
  host_id: string
  host_name: string
  judged_at: string
  counts: Counts
  rate: number | null
}

export interface Evidence {
  fact?: string
  where?: string
  value?: unknown
  expected?: unknown
  error?: string
}

export interface Result {
  id: string
  check: string
  title: Bilingual
  severity: string
  outcome: Outcome
  evidence: Evidence[]
  reason: string
  since: string
  judged_at: string
  asset: { id: string; kind: string; name: string; host_id: string; host_name: string }
}

export interface Waiver {
  id: string
  check: string
  selector: Record<string, string>
  owner: string
  reason: string
  created_by: string
  created_at: string
  expires_at: string
}

export interface Job {
  id: string
  target: string
  agent_id: string
  args: { benchmark?: string; run?: string }
  state: 'waiting' | 'running' | 'done' | 'failed'
  progress: number
  message: string
  error: string
  created_at: string
}

export const totalOf = (counts: Counts) => OUTCOMES.reduce((sum, name) => sum + counts[name], 0)

export const pathOf = (benchmark: string) => `/baselines/${encodeURIComponent(benchmark)}`
export const checkPlace = (benchmark: string, check: string) => `/baseline/${encodeURIComponent(benchmark)}/checks/${encodeURIComponent(check)}`
export const assetPlace = (benchmark: string, asset: string) => `/baseline/${encodeURIComponent(benchmark)}/assets/${encodeURIComponent(asset)}`

export const useBenchmarks = () =>
  useQuery({
    queryKey: ['baselines', 'all'],
    queryFn: ({ signal }) => get<Page<Benchmark>>('/baselines', signal),
    refetchInterval: ({ state }) => (state.data?.items.some((one) => one.state === 'running') ? 3000 : false),
  })

const isOpen = (job: Job) => job.state === 'waiting' || job.state === 'running'

/** The collections of the newest run: also after the page was loaded anew. */
export const useRun = (benchmark: string) =>
  useQuery({
    queryKey: ['jobs', 'baseline', benchmark],
    queryFn: async ({ signal }) => {
      const page = await get<Page<Job>>('/jobs?kind=baseline.collect&limit=500', signal)
      const mine = page.items.filter((job) => job.args.benchmark === benchmark)
      return mine.filter((job) => job.args.run === mine[0]?.args.run)
    },
    refetchInterval: ({ state }) => (state.data?.some(isOpen) ? 1500 : false),
  })

export { isOpen }
