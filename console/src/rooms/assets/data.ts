/** The records of src/seawall/assets/model.py, with where and when each was seen. */
import type { Counts } from '@/parts/Severity'

interface Place {
  id: string
  host_id: string
  host_name: string
  agent_id: string
  first_seen: string
  last_seen: string
}

export interface Host extends Place {
  name: string
  addresses: string[]
  os: string
  kernel: string
  architecture: string
  cpus: number
  memory: number
  booted_at: string
  cgroup: number
  runtimes: { name: string; version?: string; api?: string; socket?: string; storage_driver?: string; root_dir?: string; reachable: boolean; error?: string }[]
  containers: number
  images: number
}

export interface Publish {
  proto: string
  host_ip: string
  host_port: number
  container_port: number
}

export interface Mount {
  type: string
  source: string
  destination: string
  rw: boolean
  propagation: string
  name: string
}

export interface Container extends Place {
  name: string
  state: string
  image: string
  image_id: string
  runtime: string
  image_digest: string
  created_at: string
  started_at: string
  finished_at: string
  exit_code: number | null
  pid: number
  user: string
  command: string[]
  entrypoint: string[]
  workdir: string
  privileged: boolean
  capabilities_added: string[]
  capabilities_dropped: string[]
  security_options: string[]
  readonly_root: boolean
  restart_policy: string
  memory_limit: number
  cpu_limit: number
  pids_limit: number
  network_mode: string
  pid_mode: string
  ipc_mode: string
  networks: { name: string; ip4: string; ip6: string; mac: string; gateway: string }[]
  ports: Publish[]
  mounts: Mount[]
  env_names: string[]
  labels: Record<string, string>
  namespaces: Record<string, number>
  pod: string
  pod_namespace: string
  process_count: number
}

export interface ContainerDetail extends Container {
  alerts: Counts
  image_scan: { judged: boolean; scanned_at: string | null; vulnerabilities: Counts | null; kev: number | null } | null
}

export interface Process extends Place {
  pid: number
  container_pid: number
  ppid: number
  name: string
  exe: string
  args: string[]
  cwd: string
  user: string
  uid: number
  started_at: string
  state: string
  memory: number
  container_id: string
  container_name: string
}

export interface Port extends Place {
  proto: string
  address: string
  port: number
  pid: number
  process: string
  exe: string
  user: string
  container_id: string
  container_name: string
  public: { host_ip: string; host_port: number }[]
  exposure: 'local' | 'container' | 'host'
}

/** Processes and ports come with a survey of the agent, not by the live stream. */
export const SURVEY_MS = 15_000

/** What of a container's configuration weakens its walls, as keys of `risk`. */
export function risks(container: Container): string[] {
  const socket = (path: string) => /(docker|containerd|crio|podman)\.sock$/.test(path)
  const found: [string, boolean][] = [
    ['privileged', container.privileged],
    ['hostRoot', container.mounts.some((mount) => mount.source === '/')],
    ['socket', container.mounts.some((mount) => socket(mount.source))],
    ['hostPid', container.pid_mode === 'host'],
    ['hostNetwork', container.network_mode === 'host'],
    ['hostIpc', container.ipc_mode === 'host'],
    ['unconfined', container.security_options.some((option) => /^(seccomp|apparmor)[=:]unconfined$/.test(option))],
    ['capabilities', container.capabilities_added.length > 0],
  ]
  return found.filter(([, yes]) => yes).map(([name]) => name)
}

/** Those of `risks` that give the host away by themselves. */
export const isGrave = (risk: string) => ['privileged', 'socket', 'hostRoot'].includes(risk)

/** Addresses of the host as they are written in an address line. */
export const outside = (places: { host_ip: string; host_port: number }[]) =>
  places.map((one) => `${one.host_ip.includes(':') ? `[${one.host_ip}]` : one.host_ip}:${one.host_port}`).join(', ')

export const short = (id: string) => id.replace('sha256:', '').slice(0, 12)
