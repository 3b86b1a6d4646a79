import { useTranslation } from 'react-i18next'
import type { Alert, Program } from './data'

/** The process and all above it, the oldest first, so that it reads as it happened. */
export function Chain({ alert }: { alert: Alert }) {
  const { t } = useTranslation('runtime')
  const oldest: (Partial<Program> & { culprit?: boolean; cwd?: string })[] = [...[...alert.ancestors].reverse(), { ...alert.process, culprit: true }]
  return (
    <ol className="chain" data-test="chain">
      {oldest.map((one, depth) => (
        <li key={`${one.pid}-${depth}`} className={one.culprit ? 'culprit' : ''} style={{ marginLeft: Math.min(depth, 12) * 10 }}>
          <code>{one.args?.length ? one.args.join(' ') : one.exe || one.name}</code>
          <small>
            {one.exe} · pid {one.pid}
            {one.user ? ` · ${one.user}` : ''}
            {one.culprit && one.cwd ? ` · ${one.cwd}` : ''}
            {one.in_container === false ? ` · ${t('outside')}` : ''}
          </small>
        </li>
      ))}
    </ol>
  )
}
