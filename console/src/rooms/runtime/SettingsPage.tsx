import { Alert as Note, App, InputNumber, Segmented, Skeleton, Switch } from 'antd'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useMemo, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { patch } from '@/api/client'
import { useMay } from '@/api/session'
import { DataTable, type Column, type Filter } from '@/parts/DataTable'
import { Empty } from '@/parts/Empty'
import { Failure, useExplain } from '@/parts/Failure'
import { Page } from '@/parts/Page'
import { Time } from '@/parts/Time'
import { useSettings, type AuditEntry, type Settings } from './policy'
import './runtime.css'

/** What administrators decide for all nodes, and who has changed what. */
export function SettingsPage() {
  const { t } = useTranslation('runtime')
  const { data, error, refetch } = useSettings()
  return (
    <Page title={t('settings')} about={t('settingsAbout')}>
      {error && !data ? <Failure error={error} retry={() => void refetch()} /> : null}
      {!data && !error && <Skeleton active paragraph={{ rows: 6 }} />}
      {data && <Choices settings={data} />}
      <h2 className="page-part">{t('audit.title')}</h2>
      <AuditList />
    </Page>
  )
}

function Choices({ settings }: { settings: Settings }) {
  const { t } = useTranslation('runtime')
  const admin = useMay('admin')
  const { message, modal } = App.useApp()
  const explain = useExplain()
  const client = useQueryClient()
  const set = useMutation({
    mutationFn: (wish: Partial<Settings>) => patch<Settings>('/runtime/settings', wish),
    onSuccess: (after) => {
      client.setQueryData(['runtimeSettings'], after)
      void message.success(t('setting.changed'))
    },
    onError: (error) => void message.error(Object.values(explain(error)).filter(Boolean).join(': ')),
    onSettled: () => {
      for (const key of ['runtimeSettings', 'runtimeAudit', 'agents']) void client.invalidateQueries({ queryKey: [key] })
    },
  })
  const off = !admin || set.isPending
  // What stops processes in production is asked once.
  const ask = (name: 'enforce' | 'quarantine_malware', value: boolean) => {
    if (!value) return set.mutate({ [name]: value })
    modal.confirm({ title: t(`setting.${name}.ask`), content: t(`setting.${name}.about`), okText: t('setting.on'), okButtonProps: { danger: true }, cancelText: t('shell:cancel'), onOk: () => set.mutateAsync({ [name]: value }).catch(() => undefined) })
  }
  return (
    <section className="panel settings" data-test="settings">
      {!admin && <Note type="info" showIcon title={t('setting.adminsOnly')} />}
      <Setting name="enforce">
        <Switch checked={settings.enforce} disabled={off} onChange={(value) => ask('enforce', value)} aria-label={t('setting.enforce.name')} />
      </Setting>
      <Setting name="samples">
        <Switch checked={settings.samples} disabled={off} onChange={(samples) => set.mutate({ samples })} aria-label={t('setting.samples.name')} />
      </Setting>
      <Setting name="quarantine_malware">
        <Switch checked={settings.quarantine_malware} disabled={off} onChange={(value) => ask('quarantine_malware', value)} aria-label={t('setting.quarantine_malware.name')} />
      </Setting>
      <Setting name="new_images">
        <Segmented value={settings.new_images} disabled={off} onChange={(new_images) => set.mutate({ new_images })} options={(['discover', 'off'] as const).map((value) => ({ value, label: t(`setting.new_images.${value}`) }))} />
      </Setting>
      <Setting name="learning_hours">
        <InputNumber min={1} max={720} disabled={off} defaultValue={settings.learning_hours} key={settings.learning_hours} suffix={t('setting.hours')} aria-label={t('setting.learning_hours.name')} onBlur={(event) => Number(event.target.value) > 0 && Number(event.target.value) !== settings.learning_hours && set.mutate({ learning_hours: Number(event.target.value) })} onPressEnter={(event) => event.currentTarget.blur()} style={{ width: 130 }} />
      </Setting>
    </section>
  )
}

function Setting({ name, children }: { name: keyof Settings; children: ReactNode }) {
  const { t } = useTranslation('runtime')
  return (
    <div className="setting">
      <div>
        <b>{t(`setting.${name}.name`)}</b>
        <p className="quiet">{t(`setting.${name}.about`)}</p>
      </div>
      {children}
    </div>
  )
}

function AuditList() {
  const { t } = useTranslation('runtime')
  const columns: Column<AuditEntry>[] = useMemo(
    () => [
      { key: 'at', title: t('audit.at'), sort: 'at', width: 120, render: (row) => <Time at={row.at} /> },
      { key: 'who', title: t('audit.who'), sort: 'who', width: 120, render: (row) => row.who || '–' },
      { key: 'act', title: t('audit.act'), sort: 'act', width: 190, render: (row) => <code>{row.act}</code> },
      { key: 'thing', title: t('audit.thing'), width: 240, render: (row) => <code title={row.thing}>{row.thing}</code> },
      { key: 'what', title: t('audit.what'), width: 420, render: (row) => <span title={row.what}>{row.what}</span> },
    ],
    [t],
  )
  const filters: Filter[] = useMemo(() => [{ key: 'who', label: t('audit.who') }, { key: 'thing', label: t('audit.thing') }], [t])
  return <DataTable<AuditEntry> name="runtimeAudit" path="/runtime/audit" columns={columns} filters={filters} range sort="-at" idOf={(row) => row.id} empty={<Empty title={t('audit.none')} />} />
}
