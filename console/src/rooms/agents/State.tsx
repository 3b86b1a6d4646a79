import { Tooltip } from 'antd'
import { useTranslation } from 'react-i18next'
import type { Agent } from './data'

/** Shape and word: a full circle is here, a half one late, a ring gone. */
export function AgentState({ agent }: { agent: Agent }) {
  const { t } = useTranslation('agents')
  const [tone, shape] = { online: ['good', '●'], late: ['medium', '◐'], offline: ['high', '○'] }[agent.state] as [string, string]
  return (
    <span className={tone}>
      <span aria-hidden="true">{shape}</span> {t(`state.${agent.state}`)}
    </span>
  )
}

/** A blind sensor is said with its reason where the user would rely on it. */
export function SensorState({ agent }: { agent: Agent }) {
  const { t } = useTranslation('agents')
  const tone = { on: 'good', degraded: 'medium', off: 'high' }[agent.sensor.state]
  return (
    <Tooltip title={agent.sensor.reason}>
      <span className={tone}>{t(`sensor.${agent.sensor.state}`)}</span>
    </Tooltip>
  )
}
