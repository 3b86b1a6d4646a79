/** Registries that the server looks into, and the images they hold. */
import { PlusOutlined, SyncOutlined } from '@ant-design/icons'
import { Alert, Button, Checkbox, Form, Input, InputNumber, Modal, Popconfirm, Progress, Select, Switch, Tabs, Tooltip } from 'antd'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { patch, post, remove } from '@/api/client'
import { useMay } from '@/api/session'
import { Copyable } from '@/parts/Copyable'
import { DataTable, type Column, type Filter } from '@/parts/DataTable'
import { Empty } from '@/parts/Empty'
import { EntityLink } from '@/parts/EntityLink'
import { Page } from '@/parts/Page'
import { Time } from '@/parts/Time'
import { bytes, number } from '@/shell/i18n'
import type { Scan } from './data'
import { ScanState } from './Scan'
import { useChange, type RegistryRow } from './supply'

const KINDS = ['generic', 'harbor', 'acr', 'ecr', 'gar', 'tcr', 'gitlab', 'quay', 'docker_hub', 'jfrog', 'nexus']

interface Stored {
  id: string
  registry: string
  registry_name: string
  repository: string
  tag: string
  digest: string
  image_id: string
  size: number
  changed_at: string
  scan: Scan | null
}

export function RegistriesPage() {
  const { t } = useTranslation('images')
  const may = useMay('admin')
  const [adding, setAdding] = useState(false)
  const [made, setMade] = useState<RegistryRow | null>(null)
  const [tab, setTab] = useState('registries')
  return (
    <Page
      title={t('registry.title')}
      about={t('registry.about')}
      actions={
        may && (
          <Button type="primary" icon={<PlusOutlined />} onClick={() => setAdding(true)}>
            {t('registry.add')}
          </Button>
        )
      }
    >
      <Tabs activeKey={tab} onChange={setTab} items={['registries', 'images'].map((key) => ({ key, label: t(`registry.${key}`) }))} />
      {tab === 'registries' ? <Registries may={may} /> : <Images />}
      {adding && <Add close={() => setAdding(false)} done={setMade} />}
      {made && <Webhook row={made} close={() => setMade(null)} />}
    </Page>
  )
}

function Registries({ may }: { may: boolean }) {
  const { t } = useTranslation('images')
  const operator = useMay('operator')
  const sync = useChange((row: RegistryRow) => post(`/registries/${row.id}/sync`), 'registries')
  const turn = useChange((row: RegistryRow) => patch(`/registries/${row.id}`, { enabled: !row.enabled }), 'registries')
  const drop = useChange((row: RegistryRow) => remove(`/registries/${row.id}`), 'registries', 'registry-images')
  const columns: Column<RegistryRow>[] = useMemo(
    () => [
      { key: 'name', title: t('many.name'), sort: 'name', width: 160, render: (row) => row.name },
      { key: 'url', title: t('registry.url'), width: 220, render: (row) => <code>{row.url}</code> },
      { key: 'kind', title: t('column.kind'), sort: 'kind', width: 120, render: (row) => t(`registry.kinds.${row.kind}`) },
      { key: 'enabled', title: t('many.enabled'), width: 80, render: (row) => <Switch size="small" checked={row.enabled} disabled={!may} aria-label={t('many.enabled')} onChange={() => turn.mutate(row)} /> },
      { key: 'state', title: t('many.state'), sort: 'state', width: 220, render: (row) => <State row={row} /> },
      { key: 'images', title: t('many.images'), sort: 'images', width: 90, align: 'right', render: (row) => number(row.images) },
      { key: 'synced', title: t('registry.synced'), sort: 'synced_at', width: 120, render: (row) => <Time at={row.synced_at} /> },
      {
        key: 'action',
        title: '',
        width: 190,
        align: 'right',
        render: (row) => (
          <>
            {operator && (
              <Button size="small" icon={<SyncOutlined />} disabled={!row.enabled || row.state === 'syncing'} onClick={() => sync.mutate(row)}>
                {t('registry.sync')}
              </Button>
            )}{' '}
            {may && (
              <Popconfirm title={t('many.removeAsk', { name: row.name })} description={t('registry.removeAbout')} okText={t('many.remove')} okButtonProps={{ danger: true }} cancelText={t('shell:cancel')} onConfirm={() => drop.mutateAsync(row).catch(() => undefined)}>
                <Button size="small" danger type="text">
                  {t('many.remove')}
                </Button>
              </Popconfirm>
            )}
          </>
        ),
      },
    ],
    // eslint-disable-next-line
    [t, may, operator],
  )
  return (
    <DataTable<RegistryRow>
      name="registries"
      path="/registries"
      columns={columns}
      sort="name"
      every={3000}
      idOf={(row) => row.id}
      empty={<Empty title={t('registry.none')}>{t('registry.noneNext')}</Empty>}
    />
  )
}

function State({ row }: { row: RegistryRow }) {
  const { t } = useTranslation('images')
  if (row.state === 'syncing')
    return (
      <span className="scan-running">
        <Progress percent={Math.round(row.progress * 100)} size="small" status="active" />
        <small className="quiet">{row.message}</small>
      </span>
    )
  return (
    <Tooltip title={row.error}>
      <span className={row.state === 'failed' ? 'high' : row.state === 'partly' ? 'medium' : row.state === 'ok' ? 'good' : 'quiet'}>
        {t(`registry.states.${row.state}`)} {row.error && <small>{row.error}</small>}
      </span>
    </Tooltip>
  )
}

function Images() {
  const { t } = useTranslation('images')
  const columns: Column<Stored>[] = useMemo(
    () => [
      { key: 'repository', title: t('registry.repository'), sort: 'repository', width: 260, render: (row) => (row.scan?.scanned_at ? <EntityLink kind="image" id={row.image_id}>{row.repository}</EntityLink> : row.repository) },
      { key: 'tag', title: t('registry.tag'), sort: 'tag', width: 120, render: (row) => <code>{row.tag}</code> },
      { key: 'scan', title: t('column.scan'), width: 200, render: (row) => <ScanState scan={row.scan} /> },
      { key: 'registry', title: t('registry.one'), width: 130, render: (row) => <Link to="/registries">{row.registry_name}</Link> },
      { key: 'size', title: t('column.size'), sort: 'size', width: 90, align: 'right', render: (row) => bytes(row.size) },
      { key: 'changed', title: t('registry.changed'), sort: 'changed_at', width: 120, render: (row) => <Time at={row.changed_at} /> },
    ],
    [t],
  )
  const filters: Filter[] = useMemo(() => [{ key: 'registry', label: t('registry.one') }, { key: 'judged', label: t('filter.judged'), options: ['true', 'false'].map((value) => ({ value, label: t(`filter.judgedIs.${value}`) })) }], [t])
  return <DataTable<Stored> name="registry-images" path="/registry-images" columns={columns} filters={filters} sort="-changed_at" inAddress={false} every={5000} idOf={(row) => row.id} empty={<Empty title={t('registry.noImages')}>{t('registry.noImagesNext')}</Empty>} />
}

interface Wish {
  name: string
  url: string
  kind: string
  username: string
  password: string
  repositories?: string
  tags?: string
  newest: number
  sync_minutes: number
  ca?: string
  flags: string[]
}

const words = (text: string | undefined) => (text ?? '').split(/\s+/).filter(Boolean)

const body = ({ name, url, kind, username, password, repositories, tags, newest, sync_minutes, ca, flags }: Wish) => ({
  name,
  url,
  kind,
  username: username ?? '',
  password: password ?? '',
  settings: { repositories: words(repositories), tags: words(tags), newest, sync_minutes, ca: ca ?? '', ...Object.fromEntries(['scan_new', 'insecure', 'plain_http'].map((flag) => [flag, flags.includes(flag)])) },
})

function Add({ close, done }: { close: () => void; done: (row: RegistryRow) => void }) {
  const { t } = useTranslation('images')
  const [form] = Form.useForm<Wish>()
  const [tried, setTried] = useState<{ ok: boolean; error: string; hint: string } | null>(null)
  const add = useChange((wish: Wish) => post<RegistryRow>('/registries', body(wish)), 'registries')
  const test = useChange(async (wish: Wish) => setTried(await post<{ ok: boolean; error: string; hint: string }>('/registries/test', body(wish))))
  return (
    <Modal
      open
      width={620}
      title={t('registry.add')}
      onCancel={close}
      footer={[
        <Button key="test" loading={test.isPending} onClick={() => void form.validateFields().then((wish) => test.mutate(wish))}>
          {t('registry.test')}
        </Button>,
        <Button key="cancel" onClick={close}>
          {t('shell:cancel')}
        </Button>,
        <Button key="ok" type="primary" loading={add.isPending} onClick={() => form.submit()}>
          {t('registry.keep')}
        </Button>,
      ]}
    >
      <Form<Wish>
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{ kind: 'generic', newest: 50, sync_minutes: 1440, flags: ['scan_new'] }}
        onFinish={(wish) => add.mutate(wish, { onSuccess: (row) => { close(); done(row as RegistryRow) } })}
      >
        <Form.Item name="name" label={t('many.name')} rules={[{ required: true, whitespace: true, message: t('shell:required') }]}>
          <Input maxLength={255} autoFocus />
        </Form.Item>
        <Form.Item name="url" label={t('registry.url')} rules={[{ required: true, whitespace: true, message: t('shell:required') }]}>
          <Input placeholder="harbor.example:8443" maxLength={1024} />
        </Form.Item>
        <Form.Item name="kind" label={t('column.kind')}>
          <Select options={KINDS.map((value) => ({ value, label: t(`registry.kinds.${value}`) }))} />
        </Form.Item>
        <Form.Item name="username" label={t('registry.username')}>
          <Input autoComplete="off" maxLength={255} />
        </Form.Item>
        <Form.Item name="password" label={t('registry.password')} extra={t('registry.passwordAbout')}>
          <Input.Password autoComplete="new-password" />
        </Form.Item>
        <Form.Item name="repositories" label={t('registry.repositories')} extra={t('registry.patterns')}>
          <Input placeholder="shop/* team/tool" />
        </Form.Item>
        <Form.Item name="tags" label={t('registry.tags')} extra={t('registry.patterns')}>
          <Input placeholder="v* latest" />
        </Form.Item>
        <Form.Item name="newest" label={t('registry.newest')}>
          <InputNumber min={0} max={10000} />
        </Form.Item>
        <Form.Item name="sync_minutes" label={t('registry.minutes')}>
          <InputNumber min={0} max={525600} />
        </Form.Item>
        <Form.Item name="ca" label={t('registry.ca')}>
          <Input.TextArea rows={2} placeholder="-----BEGIN CERTIFICATE-----" />
        </Form.Item>
        <Form.Item name="flags">
          <Checkbox.Group options={['scan_new', 'insecure', 'plain_http'].map((value) => ({ value, label: t(`registry.flags.${value}`) }))} />
        </Form.Item>
      </Form>
      {tried && <Alert type={tried.ok ? 'success' : 'error'} showIcon title={tried.ok ? t('registry.works') : tried.error} description={tried.hint || undefined} />}
    </Modal>
  )
}

/** The token is shown this once. */
function Webhook({ row, close }: { row: RegistryRow; close: () => void }) {
  const { t } = useTranslation('images')
  const address = `${window.location.origin}/api/v1/registries/${row.id}/webhook?token=${row.webhook_token}`
  return (
    <Modal open title={t('registry.hook')} onCancel={close} onOk={close} cancelButtonProps={{ style: { display: 'none' } }} okText={t('shell:close')}>
      <p>{t('registry.hookAbout')}</p>
      <Copyable text={address} />
    </Modal>
  )
}
