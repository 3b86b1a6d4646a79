import { Tooltip } from 'antd'
import { useTranslation } from 'react-i18next'
import { Copyable } from '@/parts/Copyable'
import { exact, Time } from '@/parts/Time'
import { commandOf, type Alert, type Program } from './data'

type Node = Partial<Program> & { culprit?: boolean; by_exec?: boolean; marks?: string[] }

/** The process and all above it up to the container's runtime, the oldest first, so that it reads as it happened. */
export function Tree({ alert }: { alert: Alert }) {
  const { t } = useTranslation('runtime')
  const nodes: Node[] = [...[...alert.ancestors].reverse(), { ...alert.process, culprit: true }]
  return (
    <ol className="tree" data-test="chain">
      {nodes.map((one, depth) => (
        <li key={`${one.pid}-${depth}`} className={[one.culprit ? 'culprit' : '', one.in_container === false ? 'outside' : ''].join(' ')} style={{ marginLeft: Math.min(depth, 12) * 18 }}>
          <div className="tree-line">
            <b>{one.name || one.exe?.split('/').pop()}</b>
            <span className="quiet">{one.pid}</span>
            {one.user && <span className={one.user === 'root' ? 'medium' : 'quiet'}>{one.user}</span>}
            {one.start && (
              <Tooltip title={exact(one.start)}>
                <span className="quiet">
                  <Time at={one.start} />
                </span>
              </Tooltip>
            )}
            {one.in_container === false && <span className="tag">{t('outside')}</span>}
            {one.by_exec && <span className="tag">{t('byExec')}</span>}
            {one.marks?.map((mark) => (
              <span key={mark} className="tag warn">
                {t(`mark.${mark}`, { defaultValue: mark })}
              </span>
            ))}
          </div>
          <div className="tree-command">
            <Copyable text={commandOf(one)} />
          </div>
          <small>
            {[one.exe, one.cwd && t('inFolder', { folder: one.cwd })].filter(Boolean).join(' · ')}
          </small>
        </li>
      ))}
    </ol>
  )
}
