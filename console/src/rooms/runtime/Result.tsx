import { CheckCircleFilled, CloseCircleFilled, StopOutlined } from '@ant-design/icons'
import { Tooltip } from 'antd'
import { useTranslation } from 'react-i18next'
import type { Alert } from './data'

/** What was achieved, said honestly: killed after the effect is not blocked. */
export function Result({ alert }: { alert: Alert }) {
  const { t } = useTranslation('runtime')
  const icon = { blocked: <CheckCircleFilled />, killed_after_effect: <StopOutlined />, failed: <CloseCircleFilled />, none: null }[alert.result]
  const tone = { blocked: 'good', killed_after_effect: 'medium', failed: 'high', none: 'quiet' }[alert.result]
  const reason = alert.evidence.reason
  return (
    <Tooltip title={[t(`resultAbout.${alert.result === 'none' && alert.action === 'block' ? 'off' : alert.result}`), reason].filter(Boolean).join(' · ')}>
      <span className={tone}>
        {icon} {t(`result.${alert.result}`)}
      </span>
    </Tooltip>
  )
}
