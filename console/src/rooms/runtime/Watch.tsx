/** Said where somebody relies on the alerts: nodes that see nothing, less than all, or have lost events. */
import { Alert } from 'antd'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { get, type Page } from '@/api/client'
import { EntityLink } from '@/parts/EntityLink'
import type { Agent } from '@/rooms/agents/data'
import { number } from '@/shell/i18n'

const SHOWN = 4

export type Trouble = 'silent' | 'blind' | 'degraded' | 'lost' | 'throttled'

/** What is wrong with how a node sees, the worst only. */
export function troubleOf(agent: Agent): Trouble | null {
  if (agent.state === 'offline') return 'silent'
  if (agent.sensor.state === 'off') return 'blind'
  if ((agent.sensor.dropped?.['critical'] ?? 0) > 0) return 'lost'
  if (agent.sensor.state === 'degraded' || agent.degrade >= 3) return 'degraded'
  return (agent.sensor.throttled ?? 0) > 0 ? 'throttled' : null
}

export function Watch() {
  const { t } = useTranslation('runtime')
  const { data } = useQuery({ queryKey: ['agents', 'watch'], queryFn: ({ signal }) => get<Page<Agent>>('/agents?limit=500', signal), refetchInterval: 30_000 })
  if (!data) return null
  if (data.total === 0) return <Alert type="warning" showIcon className="watch" title={t('watch.none')} description={t('watch.noneNext')} />
  const troubled = data.items.map((agent) => ({ agent, trouble: troubleOf(agent) })).filter(({ trouble }) => trouble)
  if (troubled.length === 0) return null
  const rank: Trouble[] = ['blind', 'silent', 'lost', 'degraded', 'throttled']
  troubled.sort((a, b) => rank.indexOf(a.trouble!) - rank.indexOf(b.trouble!))
  return (
    <Alert
      type="warning"
      showIcon
      closable
      className="watch"
      data-test="watch"
      title={
        <>
          <b>{t('watch.title', { count: troubled.length })}</b>{' '}
          {troubled.slice(0, SHOWN).map(({ agent, trouble }) => (
            <span key={agent.id}>
              <EntityLink kind="agent" id={agent.id}>
                {agent.name}
              </EntityLink>
              {': '}
              {t(`watch.${trouble}`, { lost: number(agent.sensor.dropped?.['critical'] ?? 0) })}
              {agent.sensor.reason && trouble !== 'silent' ? ` (${agent.sensor.reason})` : ''}
            </span>
          ))}
          {troubled.length > SHOWN && <span>{t('watch.more', { count: troubled.length - SHOWN })}</span>}
        </>
      }
    />
  )
}
