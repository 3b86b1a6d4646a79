import { App, Skeleton, Switch } from 'antd'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { patch } from '@/api/client'
import { useMay } from '@/api/session'
import { Empty } from '@/parts/Empty'
import { Failure, useExplain } from '@/parts/Failure'
import { Page } from '@/parts/Page'
import { number, say } from '@/shell/i18n'
import { CATEGORIES } from './data'
import { useGroups, type RuleGroup } from './policy'
import { RuleTabs } from './Tabs'
import './runtime.css'

/** Whole groups of rules on and off, by engine. */
export function GroupsPage() {
  const { t } = useTranslation('runtime')
  const { data, error, refetch } = useGroups()
  const categories = [...new Set([...CATEGORIES, ...(data?.items.map((group) => group.category) ?? [])])]
  return (
    <Page title={t('rules')} about={t('groupsAbout')}>
      <RuleTabs here="/rule-groups" />
      {error && !data ? <Failure error={error} retry={() => void refetch()} /> : null}
      {!data && !error && <Skeleton active paragraph={{ rows: 8 }} />}
      {data?.items.length === 0 && <Empty title={t('noRules')} />}
      <div className="groups">
        {categories.map((category) => {
          const mine = data?.items.filter((group) => group.category === category) ?? []
          if (mine.length === 0) return null
          return (
            <section key={category} className="panel">
              <header>
                <h2>{t(`category.${category}`, { defaultValue: category || t('category.several') })}</h2>
                <span className="quiet">{t('group.on', { on: mine.filter((one) => one.enabled).length, count: mine.length })}</span>
              </header>
              <div className="panel-body">
                <ul className="rows">
                  {mine.map((group) => (
                    <Group key={group.id} group={group} />
                  ))}
                </ul>
              </div>
            </section>
          )
        })}
      </div>
    </Page>
  )
}

function Group({ group }: { group: RuleGroup }) {
  const { t } = useTranslation('runtime')
  const { message, modal } = App.useApp()
  const explain = useExplain()
  const client = useQueryClient()
  const may = useMay('operator')
  const set = useMutation({
    mutationFn: (enabled: boolean) => patch(`/rule-groups/${encodeURIComponent(group.id)}`, { enabled }),
    onSuccess: (_, enabled) => void message.success(t(enabled ? 'group.switchedOn' : 'group.switchedOff', { name: say(group.title) })),
    onError: (error) => void message.error(Object.values(explain(error)).filter(Boolean).join(': ')),
    onSettled: () => {
      void client.invalidateQueries({ queryKey: ['ruleGroups'] })
      void client.invalidateQueries({ queryKey: ['rules'] })
    },
  })
  const change = (enabled: boolean) => {
    if (enabled) return set.mutate(true)
    modal.confirm({ title: t('group.offAsk', { name: say(group.title) }), content: t('group.offAbout', { count: group.rules }), okText: t('group.off'), okButtonProps: { danger: true }, cancelText: t('shell:cancel'), onOk: () => set.mutateAsync(false).catch(() => undefined) })
  }
  return (
    <li>
      <span className="grow">
        {say(group.title)} {!group.builtin && <span className="tag">{t('source.user')}</span>}
      </span>
      <Link to={`/rules?group=${encodeURIComponent(group.id)}`}>{t('group.rules', { count: group.rules, shown: number(group.rules) })}</Link>
      <Switch size="small" checked={group.enabled} disabled={!may} loading={set.isPending} onChange={change} aria-label={say(group.title)} />
    </li>
  )
}
