import { useQuery } from '@tanstack/react-query'
import { get, type Bilingual } from '@/api/client'
import type { Counts } from '@/parts/Severity'
import type { Alert } from '@/rooms/runtime/data'

export interface Overview {
  alerts: {
    new: Counts
    trend: ({ hour: string } & Counts)[]
    categories: Record<string, number>
    latest: Alert[]
  }
  agents: { online: number; late: number; offline: number; degraded: number; blind: number }
  assets?: { hosts: number; containers: { running: number; total: number }; images: number; processes: number; ports: number }
  images?: {
    scanned: number
    not_checked: number
    total: number
    vulnerabilities: Counts
    kev: number
    top: { id: string; name: string; critical: number; high: number; kev: number }[]
  }
  baseline?: { id: string; title: Bilingual; rate: number | null; counts: Record<string, number>; last_run: string | null }[]
  intel?: { advisories: number; kev: number; age_days: number | null }
}

export const useOverview = () =>
  useQuery({ queryKey: ['overview'], queryFn: ({ signal }) => get<Overview>('/overview', signal), refetchInterval: 60_000 })
