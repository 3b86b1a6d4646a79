/** Severity is colour, shape and word, never colour alone. */
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { number } from '@/shell/i18n'

export const SEVERITIES = ['critical', 'high', 'medium', 'low', 'unknown', 'info'] as const
export type SeverityName = (typeof SEVERITIES)[number]
export type Counts = Partial<Record<SeverityName, number>>

/** Each has a form of its own: octagon, triangle, diamond, circle, ring. */
const SHAPES: Record<SeverityName, string> = {
  critical: 'M5 1h6l4 4v6l-4 4H5l-4-4V5z',
  high: 'M8 1.5 15 14H1z',
  medium: 'M8 1l7 7-7 7-7-7z',
  low: 'M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2z',
  unknown: 'M2 2h5v2H4v3H2zm7 0h5v5h-2V4H9zM2 9h2v3h3v2H2zm10 0h2v5H9v-2h3z',
  info: 'M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zm0 2.5a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7z',
}

const known = (name: string): SeverityName => (SEVERITIES.includes(name as SeverityName) ? (name as SeverityName) : 'info')

export function SeverityMark({ name, size = 12 }: { name: string; size?: number }) {
  return (
    <svg className={`mark ${known(name)}`} width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <path d={SHAPES[known(name)]} fillRule="evenodd" />
    </svg>
  )
}

export function Severity({ name }: { name: string }) {
  const { t } = useTranslation()
  return (
    <span className={`severity ${known(name)}`}>
      <SeverityMark name={name} /> {t(`severity.${known(name)}`)}
    </span>
  )
}

/** Counts in a row, the worst first; what is zero is left out, nothing at all is said as a word. `to` makes each a link. */
export function SeverityCounts({ counts, none, to }: { counts: Counts | null | undefined; none?: string; to?: (name: SeverityName) => string }) {
  const { t } = useTranslation()
  const some = SEVERITIES.filter((name) => (counts?.[name] ?? 0) > 0)
  if (some.length === 0) return <span className="quiet">{none ?? t('none')}</span>
  return (
    <span className="severity-counts">
      {some.map((name) => {
        const shown = (
          <span className={`severity ${name}`} title={t(`severity.${name}`)}>
            <SeverityMark name={name} size={10} /> {number(counts?.[name] ?? 0)}
            <span className="visually-hidden">{t(`severity.${name}`)}</span>
          </span>
        )
        return to ? (
          <Link key={name} to={to(name)}>
            {shown}
          </Link>
        ) : (
          <span key={name}>{shown}</span>
        )
      })}
    </span>
  )
}
