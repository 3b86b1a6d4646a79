import { useTranslation } from 'react-i18next'
import type { Container, Port } from './data'
import { isGrave, risks } from './data'

/** Shape and word: a full circle runs, a ring has ended, a half one is in between. */
export function ContainerState({ state }: { state: string }) {
  const { t } = useTranslation('assets')
  const [tone, shape] = state === 'running' ? ['good', '●'] : ['exited', 'dead', 'created'].includes(state) ? ['quiet', '○'] : ['medium', '◐']
  return (
    <span className={tone}>
      <span aria-hidden="true">{shape}</span> {t(`state.${state}`, { defaultValue: state })}
    </span>
  )
}

export function Risks({ container }: { container: Container }) {
  const { t } = useTranslation('assets')
  const found = risks(container)
  if (found.length === 0) return <span className="quiet">–</span>
  const grave = found.some(isGrave)
  return (
    <span className={grave ? 'high' : 'medium'} title={found.map((name) => t(`riskAbout.${name}`)).join('\n')}>
      <span aria-hidden="true">{grave ? '▲' : '△'}</span> {found.map((name) => t(`risk.${name}`)).join(', ')}
    </span>
  )
}

/** How far a port can be reached: shape and word. */
export function Exposure({ port }: { port: Port }) {
  const { t } = useTranslation('assets')
  const [tone, shape] = { host: ['medium', '◉'], container: ['low', '◍'], local: ['quiet', '○'] }[port.exposure] as [string, string]
  return (
    <span className={tone} title={t(`exposureAbout.${port.exposure}`)}>
      <span aria-hidden="true">{shape}</span> {t(`exposure.${port.exposure}`)}
    </span>
  )
}
