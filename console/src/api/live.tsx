/**
 * One stream of changes for the whole console. A change does not carry state into pages: it tells which lists are out
 * of date, and those that are on the screen ask again. So a page is right however much it missed.
 */
import { useQueryClient } from '@tanstack/react-query'
import { createContext, useContext, useEffect, useMemo, useRef, useState, type ReactNode } from 'react'

export interface Change {
  type: string
  payload: Record<string, unknown>
}

interface Live {
  connected: boolean
  /** When the server was last heard, ms since 1970; 0 before the first word. */
  heardAt: number
  listen: (listener: (change: Change) => void) => () => void
}

const Context = createContext<Live>({ connected: false, heardAt: 0, listen: () => () => undefined })

/** First word of a change → first words of the query keys that it makes stale. */
const STALE: Record<string, string[]> = {
  alerts: ['alerts', 'overview', 'containers', 'rules'],
  'rule-groups': ['ruleGroups', 'rules'],
  'rule-files': ['ruleFiles', 'ruleGroups', 'rules'],
  'user-rules': ['userRules', 'ruleGroups', 'rules'],
  'rule-tests': ['replay'],
  runtime: ['runtimeSettings', 'runtimeAudit'],
  waivers: ['waivers', 'rules', 'alerts'],
  profiles: ['profiles'],
  indicators: ['indicators', 'intel'],
  responses: ['responses', 'isolations', 'quarantine', 'overview'],
  containers: ['containers', 'overview', 'hosts', 'processes', 'ports'],
  agents: ['agents', 'overview', 'hosts'],
  images: ['images', 'overview', 'vulnerabilities', 'packages', 'findings', 'affected'],
  jobs: ['jobs', 'images', 'baselines'],
  baselines: ['baselines', 'overview', 'baselineChecks', 'baselineAssets', 'waivers'],
}
const GATHER_MS = 250

export function LiveProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient()
  const [connected, setConnected] = useState(false)
  const [heardAt, setHeardAt] = useState(0)
  const listeners = useRef(new Set<(change: Change) => void>())

  useEffect(() => {
    const waiting = new Set<string>()
    let timer = 0
    const refresh = () => {
      timer = 0
      for (const key of waiting) void client.invalidateQueries({ queryKey: [key] })
      waiting.clear()
    }
    const stream = new EventSource('/api/v1/live')
    stream.onopen = () => setConnected(true)
    stream.onerror = () => setConnected(false)
    stream.onmessage = (message: MessageEvent<string>) => {
      setHeardAt(Date.now())
      setConnected(true)
      const change = JSON.parse(message.data) as Change
      if (change.type === 'ping') return
      if (change.type === 'reload') return void client.invalidateQueries({ predicate: (one) => one.queryKey[0] !== 'session' })
      for (const listener of listeners.current) listener(change)
      for (const key of STALE[change.type.split('/')[0] ?? ''] ?? []) waiting.add(key)
      timer ||= window.setTimeout(refresh, GATHER_MS)
    }
    return () => {
      stream.close()
      window.clearTimeout(timer)
    }
  }, [client])

  const value = useMemo<Live>(
    () => ({
      connected,
      heardAt,
      listen: (listener) => {
        listeners.current.add(listener)
        return () => listeners.current.delete(listener)
      },
    }),
    [connected, heardAt],
  )
  return <Context value={value}>{children}</Context>
}

export const useLive = () => useContext(Context)

/** Hear each change while the component is on the screen. */
export function useChanges(listener: (change: Change) => void): void {
  const { listen } = useLive()
  const newest = useRef(listener)
  newest.current = listener
  useEffect(() => listen((change) => newest.current(change)), [listen])
}
