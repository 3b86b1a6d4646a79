import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, Outlet, useParams } from 'react-router'
import { ApiError, get, type Page as ListPage } from '@/api/client'
import { DataTable, type Column, type Filter } from '@/parts/DataTable'
import { Drawer } from '@/parts/Drawer'
import { Empty } from '@/parts/Empty'
import { placeOf } from '@/parts/EntityLink'
import { Facts, Section } from '@/parts/Facts'
import { Page } from '@/parts/Page'
import { SEVERITIES, Severity } from '@/parts/Severity'
import { number, say } from '@/shell/i18n'
import { CATEGORIES, type Rule } from './data'

export function RulesPage() {
  const { t } = useTranslation('runtime')
  const columns: Column<Rule>[] = useMemo(
    () => [
      { key: 'severity', title: t('column.severity'), sort: 'severity', width: 104, render: (row) => <Severity name={row.severity} /> },
      { key: 'title', title: t('rule.title'), width: 340, sort: 'title', render: (row) => <span title={say(row.title)}>{say(row.title)}</span> },
      { key: 'category', title: t('column.category'), width: 140, sort: 'category', render: (row) => t(`category.${row.category}`) },
      { key: 'action', title: t('rule.action'), width: 110, sort: 'action', render: (row) => t(`action.${row.action}`) },
      { key: 'mitre', title: 'ATT&CK', width: 150, render: (row) => row.mitre.join(', ') },
      {
        key: 'alerts',
        title: t('rule.alerts'),
        width: 130,
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
      { key: 'id', title: t('rule.id'), width: 220, sort: 'id', render: (row) => <code>{row.id}</code> },
    ],
    [t],
  )
  const filters: Filter[] = useMemo(
    () => [
      { key: 'severity', label: t('column.severity'), options: SEVERITIES.filter((name) => name !== 'unknown').map((value) => ({ value, label: t(`shell:severity.${value}`) })) },
      { key: 'category', label: t('column.category'), options: CATEGORIES.map((value) => ({ value, label: t(`category.${value}`) })) },
      { key: 'action', label: t('rule.action'), options: ['alert', 'block'].map((value) => ({ value, label: t(`action.${value}`) })) },
    ],
    [t],
  )
  return (
    <Page title={t('rules')} about={t('rulesAbout')}>
      <DataTable<Rule>
        name="rules"
        path="/rules"
        columns={columns}
        filters={filters}
        sort="-severity"
        idOf={(row) => row.id}
        linkOf={(row) => placeOf('rule', row.id)}
        empty={<Empty title={t('noRules')} />}
      />
      <Outlet />
    </Page>
  )
}

export function RuleDrawer() {
  const { id = '' } = useParams()
  const { t } = useTranslation('runtime')
  const query = useQuery({
    queryKey: ['rules', 'one', id],
    queryFn: async ({ signal }) => {
      const page = await get<ListPage<Rule>>(`/rules?id=${encodeURIComponent(id)}`, signal)
      if (!page.items[0]) throw new ApiError(404, t('noSuchRule', { id }), t('noSuchRuleHint'))
      return page.items[0]
    },
  })
  const rule = query.data
  return (
    <Drawer list="/rules" query={query} title={rule ? say(rule.title) : id}>
      {rule && (
        <>
          <Section title={t('section.what')}>
            <p style={{ marginTop: 0 }}>{say(rule.why)}</p>
            <Facts
              items={[
                [t('column.severity'), <Severity key="s" name={rule.severity} />],
                [t('column.category'), t(`category.${rule.category}`)],
                [t('rule.action'), t(`action.${rule.action}`)],
                [t('rule.kinds'), rule.kinds.join(', ')],
                ['ATT&CK', rule.mitre.join(', ') || undefined],
                [t('rule.alerts'), <Link key="a" to={`/alerts?rule=${encodeURIComponent(rule.id)}`}>{number(rule.alerts)}</Link>],
                [t('rule.id'), <code key="i">{rule.id}</code>],
              ]}
            />
          </Section>
          <Section title={t('section.todo')}>
            <p style={{ margin: 0, whiteSpace: 'pre-line' }}>{say(rule.advice)}</p>
          </Section>
        </>
      )}
    </Drawer>
  )
}
