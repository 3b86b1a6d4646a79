/** Every thing that is named is a link to itself. */
import type { ReactNode } from 'react'
import { Link } from 'react-router'

const PLACES = {
  host: '/hosts',
  container: '/containers',
  image: '/images',
  process: '/processes',
  port: '/ports',
  alert: '/alerts',
  rule: '/rules',
  vulnerability: '/vulnerabilities',
  baseline: '/baseline',
  agent: '/agents',
  profile: '/profiles',
  response: '/responses',
  waiver: '/waivers',
} as const
export type EntityKind = keyof typeof PLACES

export const placeOf = (kind: EntityKind, id: string) => `${PLACES[kind]}/${encodeURIComponent(id)}`

export function EntityLink({ kind, id, children }: { kind: EntityKind; id: string | null | undefined; children?: ReactNode }) {
  const shown = children ?? id
  if (!id) return <span className="quiet">{shown || '–'}</span>
  return (
    <Link to={placeOf(kind, id)} onClick={(event) => event.stopPropagation()}>
      {shown}
    </Link>
  )
}
