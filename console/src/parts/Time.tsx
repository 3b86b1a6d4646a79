import { Tooltip } from 'antd'
import { useEffect, useState } from 'react'
import { locale } from '@/shell/i18n'

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
]

export function relative(text: string, now: number): string {
  const seconds = (Date.parse(text) - now) / 1000
  const form = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto', style: 'short' })
  const [unit, size] = STEPS.find(([, length]) => Math.abs(seconds) >= length) ?? ['second', 1]
  return form.format(Math.trunc(seconds / size), unit)
}

export const exact = (text: string) =>
  new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'medium' }).format(new Date(text))

/** One clock for all: a page of a hundred times is not a hundred timers. */
function useNow(): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), 10_000)
    return () => window.clearInterval(timer)
  }, [])
  return Math.max(now, 0)
}

/** How long ago, the exact time (in the reader's zone) on hover. */
export function Time({ at }: { at: string | null | undefined }) {
  const now = useNow()
  if (!at || Number.isNaN(Date.parse(at))) return <span className="quiet">–</span>
  return (
    <Tooltip title={exact(at)}>
      <time dateTime={at}>{relative(at, Math.max(now, Date.now() - 10_000))}</time>
    </Tooltip>
  )
}
