/** What a node can stop, by which means, and why no better one works there. */
import { Alert, Tooltip } from 'antd'
import { useTranslation } from 'react-i18next'
import { Facts, Section } from '@/parts/Facts'
import { MEANS_OF, type Agent } from './data'

/** What nodes say in English, so that it can be said in the reader's language; whatever else they say is shown as it is. */
const REASONS: [RegExp, string][] = [
  [/^not looked at yet$/, 'notYet'],
  [/^the sensor is off$/, 'sensorOff'],
  [/^this kernel has no permission events/, 'noPermissionEvents'],
  [/^neither nft nor iptables is installed$/, 'noFirewall'],
  [/^no Docker socket$/, 'noDocker'],
  [/^openat2: .*Linux 5\.6 or newer is needed$/, 'noOpenat2'],
  [/^the unified cgroup hierarchy is not mounted/, 'noUnified'],
  [/^the kernel takes security programs but does not ask them/, 'notAsked'],
  [/^the gate did not answer in time; it is tried again after (\d+) s$/, 'gateLate'],
  [/^the gate (?:ended|takes no orders): (.*); it is tried again after \d+ s$/, 'gateEnded'],
  [/^container (\w+): (.*)$/, 'container'],
  [/^the kernel refused (\S+): (.*)$/s, 'refused'],
]

/** A reason in the reader's language. */
function useReason() {
  const { t } = useTranslation('agents')
  return (why: string) => {
    for (const [pattern, key] of REASONS) {
      const found = pattern.exec(why)
      if (found) return t(`protection.why.${key}`, { one: found[1] ?? '', two: found[2] ?? '', said: why })
    }
    return why
  }
}

const TONES = ['high', 'medium', 'medium', 'good', 'good']

/** The level as bars, number and word. */
export function ProtectionLevel({ agent }: { agent: Agent }) {
  const { t } = useTranslation('agents')
  const level = agent.protection?.level
  if (level === undefined || agent.state === 'offline') return <span className="quiet">{t('protection.unknown')}</span>
  const enforcing = agent.protection?.enforce ? t('protection.enforcing') : t('protection.alertOnly')
  return (
    <Tooltip title={`${t(`protection.about.${level}`)} · ${enforcing}`}>
      <span className={TONES[level] ?? 'quiet'}>
        <span className="level" aria-hidden="true">
          {[1, 2, 3, 4].map((step) => (
            <i key={step} className={step <= level ? 'full' : ''} />
          ))}
        </span>{' '}
        {t(`protection.level.${level}`)}
      </span>
    </Tooltip>
  )
}

export function ProtectionSection({ agent }: { agent: Agent }) {
  const { t } = useTranslation('agents')
  const reason = useReason()
  const { protection } = agent
  if (protection?.level === undefined)
    return (
      <Section title={t('section.protection')}>
        <p className="quiet">{t('protection.notTold')}</p>
      </Section>
    )
  const { means = {}, reasons = {} } = protection
  const word = (name: (typeof MEANS_OF)[number]) => {
    const value = means[name]
    const none = value === undefined || value === false || value === 'none'
    return <span className={none ? 'medium' : ''}>{none ? t('protection.means.none') : value === true ? t('shell:yes') : t(`protection.means.${value}`, { defaultValue: String(value) })}</span>
  }
  return (
    <Section title={t('section.protection')} extra={<ProtectionLevel agent={agent} />}>
      <p style={{ marginTop: 0 }}>
        {t('protection.sentence', { about: t(`protection.about.${protection.level}`), enforcing: protection.enforce ? t('protection.enforcing') : t('protection.alertOnly') })}
      </p>
      <Facts items={MEANS_OF.map((name) => [t(`protection.of.${name}`), <span key={name}>{word(name)}</span>])} />
      {Object.keys(reasons).length > 0 && (
        <Alert
          type="info"
          style={{ marginTop: 12 }}
          title={t('protection.whyNot')}
          description={
            <ul className="reasons">
              {Object.entries(reasons).map(([name, why]) => (
                <li key={name}>
                  <b>{t(`protection.means.${name}`, { defaultValue: name })}</b>: <span title={why}>{reason(why)}</span> <span className="quiet">{t(`protection.mend.${name}`, { defaultValue: '' })}</span>
                </li>
              ))}
            </ul>
          }
        />
      )}
    </Section>
  )
}
