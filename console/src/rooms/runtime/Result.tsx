import { CheckCircleFilled, CloseCircleFilled, StopOutlined } from '@ant-design/icons'
import { Tooltip } from 'antd'
import type { TFunction } from 'i18next'
import { useTranslation } from 'react-i18next'
import type { Alert } from './data'

const ICONS: Record<string, [tone: string, icon: React.ReactNode]> = {
  blocked: ['good', <CheckCircleFilled key="i" />],
  killed_after_effect: ['medium', <StopOutlined key="i" />],
  failed: ['high', <CloseCircleFilled key="i" />],
  none: ['quiet', null],
}

export function ResultMark({ result }: { result: string }) {
  const [tone, icon] = ICONS[result] ?? ['quiet', null]
  return icon ? <span className={tone}>{icon}</span> : null
}

/** Why the result is what it is: the rule, enforcing, the means; in the reader's words. */
export function aboutResult(alert: Alert, t: TFunction<'runtime'>): string {
  const about = t(`resultAbout.${alert.result === 'none' && alert.action === 'block' ? 'off' : alert.result}`)
  const means = alert.means ? t(`means.${alert.means}`, { defaultValue: alert.means }) : ''
  return [about, means, reasonText(alert.evidence.reason, t)].filter(Boolean).join(' · ')
}

/** A reason as the node names it (`agent_offline`, or a sentence of the system) in the reader's words. */
export const reasonText = (reason: string | undefined, t: TFunction<'runtime'>) => (reason ? t(`reason.${reason}`, { defaultValue: reason, nsSeparator: false, keySeparator: reason.includes(' ') ? false : '.' }) : '')

/** What was achieved, said honestly: killed after the effect is not blocked. */
export function Result({ alert }: { alert: Alert }) {
  const { t } = useTranslation('runtime')
  const [tone] = ICONS[alert.result] ?? ['quiet']
  return (
    <Tooltip title={aboutResult(alert, t)}>
      <span className={tone}>
        <ResultMark result={alert.result} /> {t(`result.${alert.result}`)}
      </span>
    </Tooltip>
  )
}
