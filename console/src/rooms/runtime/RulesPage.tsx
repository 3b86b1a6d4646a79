import { Alert as Note } from 'antd'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, Outlet } from 'react-router'
import { DataTable, type Column, type Filter } from '@/parts/DataTable'
import { Empty } from '@/parts/Empty'
import { placeOf } from '@/parts/EntityLink'
import { Page } from '@/parts/Page'
import { SEVERITIES, Severity } from '@/parts/Severity'
import { number, say } from '@/shell/i18n'
import { CATEGORIES } from './data'
import { useGroups, usePlanState, type Rule } from './policy'
import { RuleTabs } from './Tabs'
import './runtime.css'

/** What of the policy the nodes do not work by, and why. */
function NotInForce() {
  const { t } = useTranslation('runtime')
  const { data } = usePlanState()
  if (!data || (!data.error && data.problems.length === 0)) return null
  return (
    <Note
      type={data.error ? 'error' : 'warning'}
      showIcon
      style={{ marginBottom: 12 }}
      title={data.error ? t('rule.lastGood') : t('rule.problems', { count: data.problems.length })}
      description={data.error || data.problems.slice(0, 3).map((one, place) => <div key={place}>{[one.rule, one.message].filter(Boolean).join(': ')}</div>)}
    />
  )
}

export function RulesPage() {
  const { t } = useTranslation('runtime')
  const groups = useGroups().data?.items
  const columns: Column<Rule>[] = useMemo(() => {
    const named = new Map(groups?.map((group) => [group.id, say(group.title)]))
    return [
      { key: 'severity', title: t('column.severity'), sort: 'severity', width: 96, render: (row) => <Severity name={row.severity} /> },
      { key: 'title', title: t('rule.title'), width: 270, sort: 'title', render: (row) => <span title={say(row.title)}>{say(row.title)}</span> },
      { key: 'category', title: t('column.category'), width: 130, sort: 'category', render: (row) => t(`category.${row.category}`) },
      { key: 'action', title: t('rule.action'), width: 80, sort: 'action', render: (row) => t(`action.${row.action}`) },
      { key: 'source', title: t('rule.source'), sort: 'source', width: 96, render: (row) => t(`source.${row.source ?? 'system'}`) },
      { key: 'group', title: t('rule.group'), sort: 'group', width: 150, render: (row) => (row.group ? (named.get(row.group) ?? row.group) : <span className="quiet">–</span>) },
      { key: 'enabled', title: t('rule.enabled'), width: 90, render: (row) => (row.enabled ? <span className="good">{t('rule.on')}</span> : <span className="quiet">{t('rule.off')}</span>) },
      {
        key: 'alerts',
        title: t('rule.alerts'),
        width: 124,
        sort: 'alerts',
        align: 'right',
        render: (row) =>
          row.alerts ? (
            <Link to={`/alerts?rule=${encodeURIComponent(row.id)}`} onClick={(event) => event.stopPropagation()}>
              {number(row.alerts)}
            </Link>
          ) : (
            <span className="quiet">0</span>
          ),
      },
      { key: 'silenced', title: t('rule.silenced'), sort: 'silenced', width: 146, align: 'right', render: (row) => <span className={row.silenced ? 'medium' : 'quiet'}>{number(row.silenced ?? 0)}</span> },
      { key: 'mitre', title: 'ATT&CK', width: 130, hidden: true, render: (row) => row.mitre.join(', ') },
      { key: 'id', title: t('rule.id'), width: 200, sort: 'id', hidden: true, render: (row) => <code>{row.id}</code> },
    ]
  }, [t, groups])
  const filters: Filter[] = useMemo(
    () => [
      { key: 'severity', label: t('column.severity'), options: SEVERITIES.filter((name) => name !== 'unknown').map((value) => ({ value, label: t(`shell:severity.${value}`) })) },
      { key: 'category', label: t('column.category'), options: CATEGORIES.map((value) => ({ value, label: t(`category.${value}`) })) },
      { key: 'action', label: t('rule.action'), options: ['alert', 'block'].map((value) => ({ value, label: t(`action.${value}`) })) },
      { key: 'source', label: t('rule.source'), options: ['system', 'user', 'falco'].map((value) => ({ value, label: t(`source.${value}`) })) },
      { key: 'enabled', label: t('rule.enabled'), options: ['true', 'false'].map((value) => ({ value, label: t(value === 'true' ? 'rule.on' : 'rule.off') })) },
      { key: 'group', label: t('rule.group') },
    ],
    [t],
  )
  return (
    <Page title={t('rules')} about={t('rulesAbout')}>
      <RuleTabs here="/rules" />
      <NotInForce />
      <DataTable<Rule>
        name="rules"
        path="/rules"
        columns={columns}
        filters={filters}
        sort="-severity"
        idOf={(row) => row.id}
        linkOf={(row) => placeOf('rule', row.id)}
        rowClass={(row) => (row.enabled ? '' : 'done')}
        empty={<Empty title={t('noRules')} />}
      />
      <Outlet />
    </Page>
  )
}
