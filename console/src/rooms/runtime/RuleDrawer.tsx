import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link, useParams } from 'react-router'
import { ApiError, get } from '@/api/client'
import { Copyable } from '@/parts/Copyable'
import { Drawer } from '@/parts/Drawer'
import { Facts, Section } from '@/parts/Facts'
import { Severity } from '@/parts/Severity'
import { number, say } from '@/shell/i18n'
import { Mitre } from './AlertDrawer'
import { rulePath, useGroups, type RuleDetail } from './policy'
import './runtime.css'

export function RuleDrawer() {
  const { id = '' } = useParams()
  const { t } = useTranslation('runtime')
  const query = useQuery({
    queryKey: ['rules', 'one', id],
    queryFn: ({ signal }) =>
      get<RuleDetail>(rulePath(id), signal).catch((error: unknown) => {
        if (error instanceof ApiError && error.status === 404) throw new ApiError(404, t('noSuchRule', { id }), t('noSuchRuleHint'))
        throw error
      }),
  })
  const rule = query.data
  return (
    <Drawer list="/rules" query={query} title={rule ? say(rule.title) : id}>
      {rule && <Body rule={rule} />}
    </Drawer>
  )
}

function Body({ rule }: { rule: RuleDetail }) {
  const { t } = useTranslation('runtime')
  const group = useGroups().data?.items.find((one) => one.id === rule.group)
  return (
    <>
      {say(rule.why) && <p style={{ marginTop: 0 }}>{say(rule.why)}</p>}
      <Section title={t('section.what')}>
        <Facts
          items={[
            [t('column.severity'), <Severity key="s" name={rule.severity} />],
            [t('column.category'), t(`category.${rule.category}`)],
            [t('rule.action'), `${t(`action.${rule.action}`)} · ${t(`actionAbout.${rule.action}`)}`],
            [t('rule.enabled'), rule.enabled ? t('rule.on') : <span key="e" className="medium">{t('rule.off')}</span>],
            [t('rule.source'), t(`source.${rule.source ?? 'system'}`)],
            [t('rule.group'), rule.group ? <Link key="g" to="/rule-groups">{group ? say(group.title) : rule.group}</Link> : undefined],
            [t('rule.kinds'), rule.kinds.map((kind) => t(`kind.${kind}`, { defaultValue: kind })).join(', ')],
            ['MITRE ATT&CK', rule.mitre.length ? <Mitre key="m" ids={rule.mitre} /> : undefined],
            [t('rule.alerts'), <Link key="a" to={`/alerts?rule=${encodeURIComponent(rule.id)}`}>{number(rule.alerts)}</Link>],
            [t('rule.silenced'), rule.silenced ? <Link key="w" to="/waivers">{number(rule.silenced)}</Link> : number(0)],
            [t('rule.file'), rule.source === 'system' ? `${rule.file}:${rule.line}` : rule.file ? <Link key="f" to={`${rule.file.startsWith('user_') ? '/user-rules' : '/rule-files'}/${encodeURIComponent(rule.file)}`}>{t('rule.toFile', { line: rule.line })}</Link> : undefined],
            [t('rule.id'), <Copyable key="i" text={rule.id} />],
          ]}
        />
      </Section>
      {say(rule.advice) && (
        <Section title={t('section.todo')}>
          <p style={{ margin: 0, whiteSpace: 'pre-line' }}>{say(rule.advice)}</p>
        </Section>
      )}
      {rule.condition && (
        <Section title={t('section.condition')}>
          <Copyable text={rule.condition.trim()} block />
        </Section>
      )}
      {rule.examples.length > 0 && (
        <Section title={t('section.examples')}>
          <ul className="rows">
            {rule.examples.map((example) => (
              <li key={example.name}>
                <span className={example.fires ? 'high' : 'good'}>{t(example.fires ? 'rule.fires' : 'rule.silent')}</span>
                <details className="grow">
                  <summary>{example.name}</summary>
                  <pre className="plain">{JSON.stringify(example.event ?? example.events, null, 1)}</pre>
                </details>
              </li>
            ))}
          </ul>
        </Section>
      )}
    </>
  )
}
