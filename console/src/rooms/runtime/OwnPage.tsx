import { PlusOutlined } from '@ant-design/icons'
import { App, Button, Switch } from 'antd'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Outlet } from 'react-router'
import { put } from '@/api/client'
import { useMay } from '@/api/session'
import { DataTable, type Column, type Filter } from '@/parts/DataTable'
import { Empty } from '@/parts/Empty'
import { useExplain } from '@/parts/Failure'
import { Page } from '@/parts/Page'
import { Severity } from '@/parts/Severity'
import { Time } from '@/parts/Time'
import { scopeText } from './FilesPage'
import { OwnForm } from './OwnForm'
import { userRulePath, type RuleForm, type UserRule } from './policy'
import { RuleTabs } from './Tabs'
import './runtime.css'

/** A rule as it is asked for. */
export const bareRule = ({ title, action, severity, enabled, process, arguments: words, parent, file, access, syscall, where, scope }: UserRule) => ({ title, action, severity, enabled, process, arguments: words, parent, file, access, syscall, where, scope })

/** What a form asks for, in one line. */
export function formText(form: RuleForm): string {
  return [form.process, form.arguments, form.parent?.map((one) => `← ${one}`), form.file, form.syscall].flatMap((list) => list ?? []).join(' · ')
}

/** Rules without writing one: a form says what fits and what shall be done. */
export function OwnPage() {
  const { t } = useTranslation('runtime')
  const may = useMay('operator')
  const { message } = App.useApp()
  const explain = useExplain()
  const client = useQueryClient()
  const [making, setMaking] = useState(false)
  const change = useMutation({
    mutationFn: ({ rule, enabled }: { rule: UserRule; enabled: boolean }) => put(userRulePath(rule.id), { ...bareRule(rule), enabled }),
    onError: (error) => void message.error(Object.values(explain(error)).filter(Boolean).join(': ')),
    onSettled: () => {
      for (const key of ['userRules', 'rules', 'ruleGroups']) void client.invalidateQueries({ queryKey: [key] })
    },
  })
  const columns: Column<UserRule>[] = useMemo(
    () => [
      { key: 'title', title: t('rule.title'), sort: 'title', width: 240, render: (row) => <span title={row.title}>{row.title}</span> },
      { key: 'action', title: t('rule.action'), width: 90, render: (row) => t(`action.${row.action}`) },
      { key: 'severity', title: t('column.severity'), width: 96, render: (row) => (row.action === 'allow' ? <span className="quiet">–</span> : <Severity name={row.severity} />) },
      { key: 'form', title: t('own.fits'), width: 260, render: (row) => <code title={formText(row)}>{formText(row)}</code> },
      { key: 'scope', title: t('file.scope'), width: 160, render: (row) => (scopeText(row.scope) ? <code title={scopeText(row.scope)}>{scopeText(row.scope)}</code> : <span className="quiet">{t('file.everywhere')}</span>) },
      { key: 'enabled', title: t('rule.enabled'), width: 90, render: (row) => <Switch size="small" checked={row.enabled} disabled={!may} onChange={(enabled) => change.mutate({ rule: row, enabled })} aria-label={t('file.use', { name: row.title })} /> },
      { key: 'updated', title: t('file.updated'), width: 160, render: (row) => <>{row.updated_by || row.created_by} · <Time at={row.updated_at || row.created_at} /></> },
    ],
    // the mutation is made anew by each render and always does the same
    // eslint-disable-next-line
    [t, may],
  )
  const filters: Filter[] = useMemo(() => [{ key: 'action', label: t('rule.action'), options: ['alert', 'block', 'allow'].map((value) => ({ value, label: t(`action.${value}`) })) }], [t])
  const make = may && (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => setMaking(true)}>
      {t('own.new')}
    </Button>
  )
  return (
    <Page title={t('rules')} about={t('ownAbout')} actions={make}>
      <RuleTabs here="/user-rules" />
      <DataTable<UserRule>
        name="userRules"
        path="/user-rules"
        columns={columns}
        filters={filters}
        sort="-updated_at"
        idOf={(row) => row.id}
        linkOf={(row) => `/user-rules/${encodeURIComponent(row.id)}`}
        rowClass={(row) => (row.enabled ? '' : 'done')}
        empty={
          <Empty title={t('own.none')}>
            <p>{t('own.noneNext')}</p>
            {make}
          </Empty>
        }
      />
      {making && <OwnForm close={() => setMaking(false)} />}
      <Outlet />
    </Page>
  )
}
