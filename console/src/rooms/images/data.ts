import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { get, post } from '@/api/client'
import type { Counts } from '@/parts/Severity'

/** How far the newest order is, and what the last whole scan says: docs/reference/api.md, "An image's scan". */
export interface Scan {
  state: 'waiting' | 'running' | 'done' | 'failed'
  job_id: string | null
  progress: number | null
  message: string
  error: string
  scanned_at: string | null
  judged: boolean
  judged_at: string | null
  packages: number | null
  unchecked: number | null
  vulnerabilities: Counts | null
  kev: number | null
  fixable: number | null
  secrets: number | null
  malware: number | null
  config: number | null
  risk: number | null
  suppressed: number | null
  decision: string
}

export interface Image {
  id: string
  name: string
  tags: string[]
  digests: string[]
  runtime: string
  created_at: string
  size: number
  architecture: string
  os: string
  author: string
  user: string
  layers: number
  labels: Record<string, string>
  containers: number
  hosts?: number
  first_seen: string
  last_seen: string
  scan: Scan | null
}

export interface Layer {
  index: number
  diff_id: string
  size: number
  created_by: string
  empty: boolean
}

export interface Inventory {
  image_id: string
  name: string
  tags: string[]
  digests: string[]
  config: {
    created: string
    architecture: string
    os: string
    author: string
    user: string
    workdir: string
    env: string[]
    entrypoint: string[]
    cmd: string[]
    exposed: string[]
    volumes: string[]
    labels: Record<string, string>
    healthcheck: string[] | null
  }
  os: { id: string; version: string; name: string; codename: string } | null
  layers: Layer[]
  skipped: { where: string; why: string }[]
  stats: Record<string, number>
  /** Scanner → empty, or why it did not look. */
  checked: Record<string, string>
  scanned_at: string
  host_id: string
  host_name: string
}

export interface Package {
  name: string
  version: string
  kind: string
  purl: string
  source_name: string
  source_version: string
  arch: string
  license: string
  locations: { path: string; layer: number }[]
  path: string
  layer: number
  owned: boolean
  /** false: no feed covers it; null: nothing was judged yet. */
  checked: boolean | null
  vulnerabilities: number
  severity: string | null
}

export interface Finding {
  id: string
  aliases: string[]
  package: string
  installed: string
  fixed: string
  status: string
  severity: string
  score: number | null
  kev: boolean
  title: string
  url: string
  source: string
  purl: string
  path: string
  layer: number
  first_seen: string
}

export interface Vulnerability {
  id: string
  severity: string
  score: number | null
  kev: boolean
  fixed: boolean
  title: string
  url: string
  packages: string[]
  images: number
  containers: number
  first_seen: string
  risk?: number | null
  epss?: number | null
  poc?: boolean
}

/** One package of one image that a vulnerability is in. */
export interface Hit {
  image_id: string
  name: string
  package: string
  installed: string
  fixed: string
  severity: string
  path: string
  layer: number
  containers: number
}

export const isOpen = (scan: Scan | null | undefined) => scan?.state === 'waiting' || scan?.state === 'running'

export const useImage = (id: string) =>
  useQuery({
    queryKey: ['images', 'one', id],
    queryFn: ({ signal }) => get<Image>(`/images/${encodeURIComponent(id)}`, signal),
    refetchInterval: ({ state }) => (isOpen(state.data?.scan) ? 2000 : false),
  })

/** What was read; asked for only when something was. */
export const useInventory = (image: Image | undefined) =>
  useQuery({
    queryKey: ['images', 'inventory', image?.id, image?.scan?.scanned_at],
    queryFn: ({ signal }) => get<Inventory>(`/images/${encodeURIComponent(image?.id ?? '')}/inventory`, signal),
    enabled: Boolean(image?.scan?.scanned_at),
  })

export const order = (id: string) => post(`/images/${encodeURIComponent(id)}/scan`)

export function useScan() {
  const client = useQueryClient()
  return useMutation({ mutationFn: order, onSettled: () => client.invalidateQueries({ queryKey: ['images'] }) })
}
