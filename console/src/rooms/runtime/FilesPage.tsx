import { PlusOutlined, UploadOutlined } from '@ant-design/icons'
import { App, Button, Popconfirm, Space, Switch, Upload } from 'antd'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { get, post, put, remove } from '@/api/client'
import { useMay } from '@/api/session'
import { DataTable, type Column } from '@/parts/DataTable'
import { Empty } from '@/parts/Empty'
import { useExplain } from '@/parts/Failure'
import { Page } from '@/parts/Page'
import { Time } from '@/parts/Time'
import { number } from '@/shell/i18n'
import { filePath, type Format, type RuleFile, type Scope } from './policy'
import { RuleTabs } from './Tabs'
import './runtime.css'

const MAX_FILE = 1 << 20
const INFORCE: Record<string, string> = { all: 'good', part: 'medium', last_good: 'medium', none: 'high' }

/** Falco's files have `output:` or `priority:`; ours have `severity:` or `kinds:`. */
export const formatOf = (text: string): Format => (/^\s+(output|priority):/m.test(text) ? 'falco' : 'native')

export const isEverywhere = (scope: Scope | undefined) => !scope || !(scope.images?.length || scope.digests?.length || scope.namespaces?.length || Object.keys(scope.labels ?? {}).length)

export function scopeText(scope: Scope | undefined): string {
  if (isEverywhere(scope)) return ''
  return [...(scope?.images ?? []), ...(scope?.digests ?? []).map((one) => one.slice(0, 19)), ...(scope?.namespaces ?? []), ...Object.entries(scope?.labels ?? {}).map(([key, value]) => `${key}=${value}`)].join(', ')
}

/** Rules that people wrote or brought: one row a file. */
export function FilesPage() {
  const { t } = useTranslation('runtime')
  const may = useMay('operator')
  const navigate = useNavigate()
  const { message } = App.useApp()
  const explain = useExplain()
  const client = useQueryClient()
  const fresh = () => {
    for (const key of ['ruleFiles', 'rules', 'ruleGroups']) void client.invalidateQueries({ queryKey: [key] })
  }
  const failed = (error: unknown) => void message.error(Object.values(explain(error)).filter(Boolean).join(': '))
  const bring = useMutation({
    mutationFn: ({ name, text }: { name: string; text: string }) => post<RuleFile>('/rule-files', { name, text, format: formatOf(text), enabled: true, scope: {} }),
    onSuccess: (file) => {
      fresh()
      void message.success(t('file.brought', { name: file.name, count: file.rules }))
      void navigate(`/rule-files/${encodeURIComponent(file.id)}`)
    },
    onError: failed,
  })
  const change = useMutation({ mutationFn: async ({ file, enabled }: { file: RuleFile; enabled: boolean }) => put(filePath(file.id), { ...bare(await get<RuleFile>(filePath(file.id))), enabled }), onSettled: fresh, onError: failed })
  const drop = useMutation({ mutationFn: (id: string) => remove(filePath(id)), onSuccess: () => void message.success(t('file.deleted')), onSettled: fresh, onError: failed })
  const columns: Column<RuleFile>[] = useMemo(
    () => [
      { key: 'name', title: t('file.name'), sort: 'name', width: 220, render: (row) => row.name },
      { key: 'format', title: t('file.format'), width: 100, render: (row) => t(`format.${row.format}`) },
      { key: 'rules', title: t('file.rules'), width: 80, align: 'right', render: (row) => number(row.rules) },
      {
        key: 'errors',
        title: t('file.errors'),
        width: 210,
        render: (row) => (
          <span className={INFORCE[row.in_force] ?? 'quiet'} title={row.errors[0]?.message}>
            {row.errors.length ? `${t('file.broken', { count: row.errors.length })} · ` : ''}
            {t(`inForce.${row.in_force}`)}
          </span>
        ),
      },
      { key: 'scope', title: t('file.scope'), width: 170, render: (row) => (scopeText(row.scope) ? <code title={scopeText(row.scope)}>{scopeText(row.scope)}</code> : <span className="quiet">{t('file.everywhere')}</span>) },
      { key: 'enabled', title: t('rule.enabled'), width: 90, render: (row) => <Switch size="small" checked={row.enabled} disabled={!may} onChange={(enabled) => change.mutate({ file: row, enabled })} aria-label={t('file.use', { name: row.name })} /> },
      { key: 'updated', title: t('file.updated'), sort: 'updated_at', width: 190, render: (row) => <>{row.updated_by || row.created_by} · <Time at={row.updated_at || row.created_at} /></> },
      ...(may
        ? [
            {
              key: 'action',
              title: '',
              width: 90,
              align: 'right' as const,
              render: (row: RuleFile) => (
                  <Popconfirm title={t('file.deleteAsk', { name: row.name })} description={t('file.deleteAbout')} okText={t('bulk.delete')} okButtonProps={{ danger: true }} cancelText={t('shell:cancel')} onConfirm={() => drop.mutateAsync(row.id).catch(() => undefined)}>
                    <Button size="small" danger type="text">
                      {t('bulk.delete')}
                    </Button>
                  </Popconfirm>
              ),
            },
          ]
        : []),
    ],
    // the mutations are made anew by each render and always do the same
    // eslint-disable-next-line
    [t, may],
  )
  const upload = (
    <Upload
      accept=".yaml,.yml"
      showUploadList={false}
      beforeUpload={(file) => {
        if (file.size > MAX_FILE) void message.error(t('file.large'))
        else void file.text().then((text) => bring.mutate({ name: file.name.replace(/\.ya?ml$/, ''), text }))
        return false
      }}
    >
      <Button icon={<UploadOutlined />} loading={bring.isPending}>
        {t('file.bring')}
      </Button>
    </Upload>
  )
  const write = (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => void navigate('/rule-files/new')}>
      {t('file.new')}
    </Button>
  )
  return (
    <Page title={t('rules')} about={t('filesAbout')} actions={may && <>{upload}{write}</>}>
      <RuleTabs here="/rule-files" />
      <DataTable<RuleFile>
        name="ruleFiles"
        path="/rule-files"
        columns={columns}
        sort="name"
        search={false}
        idOf={(row) => row.id}
        linkOf={(row) => `/rule-files/${encodeURIComponent(row.id)}`}
        rowClass={(row) => (row.enabled ? '' : 'done')}
        empty={<Empty title={t('file.none')}>{may ? <Space orientation="vertical"><span>{t('file.noneNext')}</span><Space>{write}</Space></Space> : t('file.noneNext')}</Empty>}
      />
    </Page>
  )
}

/** A file as it is asked for. */
export const bare = ({ name, format, text, enabled, scope }: RuleFile) => ({ name, format, text, enabled, scope })
