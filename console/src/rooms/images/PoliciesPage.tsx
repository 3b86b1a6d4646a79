/** What images have to be like, which ones are not, and what nobody wants to be told of. */
import { PlusOutlined, UploadOutlined } from '@ant-design/icons'
import { Button, Checkbox, Form, Input, InputNumber, Modal, Popconfirm, Radio, Select, Switch, Tabs, Upload } from 'antd'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { patch, post, remove } from '@/api/client'
import { useMay } from '@/api/session'
import { DataTable, type Column, type Filter } from '@/parts/DataTable'
import { Empty } from '@/parts/Empty'
import { EntityLink } from '@/parts/EntityLink'
import { Page } from '@/parts/Page'
import { SEVERITIES } from '@/parts/Severity'
import { Time } from '@/parts/Time'
import { Ignore } from './Ignore'
import { useChange, type Decided, type IgnoreRow, type PolicyRow, type Reason } from './supply'

const FLAGS = ['kev', 'fixable_only', 'root', 'latest', 'not_checked'] as const
const TEXTS = ['cves', 'packages', 'registries', 'labels'] as const

export function PoliciesPage() {
  const { t } = useTranslation('images')
  const admin = useMay('admin')
  const operator = useMay('operator')
  const [tab, setTab] = useState('policies')
  const [adding, setAdding] = useState<'policy' | 'ignore' | null>(null)
  return (
    <Page
      title={t('policy.title')}
      about={t('policy.about')}
      actions={
        tab === 'ignores' ? (
          operator && <IgnoreActions add={() => setAdding('ignore')} />
        ) : (
          admin && (
            <Button type="primary" icon={<PlusOutlined />} onClick={() => setAdding('policy')}>
              {t('policy.add')}
            </Button>
          )
        )
      }
    >
      <Tabs activeKey={tab} onChange={setTab} items={['policies', 'decided', 'ignores'].map((key) => ({ key, label: t(`policy.${key}`) }))} />
      {tab === 'policies' && <Policies may={admin} />}
      {tab === 'decided' && <DecidedImages />}
      {tab === 'ignores' && <Ignores may={operator} />}
      {adding === 'policy' && <Add close={() => setAdding(null)} />}
      {adding === 'ignore' && <Ignore close={() => setAdding(null)} />}
    </Page>
  )
}

function Policies({ may }: { may: boolean }) {
  const { t } = useTranslation('images')
  const change = useChange(({ id, ...values }: { id: string } & Partial<PolicyRow>) => patch(`/image-policies/${id}`, values), 'image-policies', 'image-decisions')
  const drop = useChange((row: PolicyRow) => remove(`/image-policies/${row.id}`), 'image-policies', 'image-decisions')
  const columns: Column<PolicyRow>[] = useMemo(
    () => [
      { key: 'name', title: t('many.name'), sort: 'name', width: 180, render: (row) => row.name },
      { key: 'enabled', title: t('many.enabled'), width: 80, render: (row) => <Switch size="small" checked={row.enabled} disabled={!may} aria-label={t('many.enabled')} onChange={(enabled) => change.mutate({ id: row.id, enabled })} /> },
      {
        key: 'mode',
        title: t('policy.mode'),
        sort: 'mode',
        width: 130,
        render: (row) => (
          <Select<'observe' | 'enforce'>
            size="small"
            style={{ width: 112 }}
            value={row.mode}
            disabled={!may}
            aria-label={t('policy.mode')}
            onChange={(mode) => change.mutate({ id: row.id, mode })}
            options={(['observe', 'enforce'] as const).map((value) => ({ value, label: t(`policy.modes.${value}`) }))}
          />
        ),
      },
      { key: 'rules', title: t('policy.rules'), width: 420, render: (row) => <span>{told(row.rules).map(([name, value]) => t(`policy.rule.${name}`, { value })).join(' · ')}</span> },
      { key: 'scope', title: t('many.scope'), width: 200, render: (row) => (row.include.length ? <code>{row.include.join(' ')}</code> : t('policy.everything')) },
      ...(may
        ? [{ key: 'action', title: '', width: 90, align: 'right' as const, render: (row: PolicyRow) => (
            <Popconfirm title={t('many.removeAsk', { name: row.name })} description={t('policy.removeAbout')} okText={t('many.remove')} okButtonProps={{ danger: true }} cancelText={t('shell:cancel')} onConfirm={() => drop.mutateAsync(row).catch(() => undefined)}>
              <Button size="small" danger type="text">{t('many.remove')}</Button>
            </Popconfirm>
          ) }]
        : []),
    ],
    // eslint-disable-next-line
    [t, may],
  )
  return <DataTable<PolicyRow> name="image-policies" path="/image-policies" columns={columns} sort="name" inAddress={false} idOf={(row) => row.id} empty={<Empty title={t('policy.none')}>{t('policy.noneNext')}</Empty>} />
}

/** Rules that are set, with their values as text. */
const told = (rules: Record<string, unknown>): [string, string][] =>
  Object.entries(rules)
    .filter(([name, value]) => name !== 'fixable_only' && value !== '' && value !== false && value !== 0 && value !== null && !(Array.isArray(value) && value.length === 0))
    .map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : String(value)])

function DecidedImages() {
  const { t } = useTranslation('images')
  const columns: Column<Decided>[] = useMemo(
    () => [
      { key: 'decision', title: t('policy.decision'), sort: 'decision', width: 120, render: (row) => <Decision name={row.decision} /> },
      { key: 'name', title: t('column.name'), sort: 'name', width: 240, render: (row) => <EntityLink kind="image" id={row.image_id}>{row.name || row.image_id.slice(0, 19)}</EntityLink> },
      { key: 'reasons', title: t('policy.reasons'), width: 520, render: (row) => <Reasons reasons={row.reasons} /> },
    ],
    [t],
  )
  const filters: Filter[] = useMemo(() => [{ key: 'decision', label: t('policy.decision'), tabs: t('policy.allDecisions'), options: ['denied', 'observed', 'allowed'].map((value) => ({ value, label: t(`policy.verdict.${value}`) })) }], [t])
  return <DataTable<Decided> name="image-decisions" path="/image-decisions" columns={columns} filters={filters} sort="-decision" inAddress={false} every={5000} idOf={(row) => row.image_id} empty={<Empty title={t('policy.noDecision')}>{t('policy.noDecisionNext')}</Empty>} />
}

export function Decision({ name }: { name: string }) {
  const { t } = useTranslation('images')
  if (!name) return <span className="quiet">–</span>
  return <b className={name === 'denied' ? 'critical' : name === 'observed' ? 'medium' : 'good'}>{t(`policy.verdict.${name}`)}</b>
}

export function Reasons({ reasons }: { reasons: Reason[] }) {
  const { t } = useTranslation('images')
  if (!reasons.length) return <span className="quiet">{t('policy.kept')}</span>
  return (
    <>
      {reasons.map((one) => (
        <div key={`${one.policy} ${one.rule}`} title={one.message}>
          <b>{one.policy}</b>: {t(`policy.broken.${one.rule}`, { count: one.count, defaultValue: one.message })} <small className="quiet">{one.examples.join(', ')}</small>
        </div>
      ))}
    </>
  )
}

function IgnoreActions({ add }: { add: () => void }) {
  const { t } = useTranslation('images')
  const bring = useChange(async (file: File) => post(`/image-ignores/vex?name=${encodeURIComponent(file.name)}`, JSON.parse(await file.text())), 'image-ignores', 'images', 'vulnerabilities')
  return (
    <>
      <Upload accept=".json" showUploadList={false} beforeUpload={(file) => { bring.mutate(file); return false }}>
        <Button icon={<UploadOutlined />} loading={bring.isPending}>
          {t('ignore.vex')}
        </Button>
      </Upload>
      <Button type="primary" icon={<PlusOutlined />} onClick={add}>
        {t('ignore.add')}
      </Button>
    </>
  )
}

function Ignores({ may }: { may: boolean }) {
  const { t } = useTranslation('images')
  const drop = useChange((row: IgnoreRow) => remove(`/image-ignores/${row.id}`), 'image-ignores', 'images', 'vulnerabilities')
  const columns: Column<IgnoreRow>[] = useMemo(
    () => [
      { key: 'kind', title: t('column.kind'), sort: 'kind', width: 120, render: (row) => t(`ignore.kinds.${row.kind}`) },
      { key: 'what', title: t('ignore.what'), width: 260, render: (row) => (row.kind === 'vex' ? <>{row.name} <small className="quiet">{t('ignore.statements', { count: row.statements ?? 0 })}</small></> : <code>{[...(row.ids ?? []), ...(row.packages ?? []), ...(row.paths ?? [])].join(' ')}</code>) },
      { key: 'images', title: t('room'), width: 160, render: (row) => (row.images?.length ? <code>{row.images.join(' ')}</code> : <span className="quiet">{t('policy.everything')}</span>) },
      { key: 'reason', title: t('ignore.reason'), width: 220, render: (row) => <span title={row.reason}>{row.reason}</span> },
      { key: 'owner', title: t('ignore.owner'), sort: 'owner', width: 110, render: (row) => row.owner },
      { key: 'until', title: t('ignore.until'), sort: 'until', width: 120, render: (row) => row.until || <span className="quiet">{t('ignore.forever')}</span> },
      { key: 'created', title: t('column.created'), sort: 'created_at', width: 110, render: (row) => <Time at={row.created_at} /> },
      ...(may
        ? [{ key: 'action', title: '', width: 90, align: 'right' as const, render: (row: IgnoreRow) => (
            <Popconfirm title={t('ignore.removeAsk')} okText={t('many.remove')} okButtonProps={{ danger: true }} cancelText={t('shell:cancel')} onConfirm={() => drop.mutateAsync(row).catch(() => undefined)}>
              <Button size="small" danger type="text">{t('many.remove')}</Button>
            </Popconfirm>
          ) }]
        : []),
    ],
    // eslint-disable-next-line
    [t, may],
  )
  return <DataTable<IgnoreRow> name="image-ignores" path="/image-ignores" columns={columns} sort="-created_at" inAddress={false} idOf={(row) => row.id} empty={<Empty title={t('ignore.none')}>{t('ignore.noneNext')}</Empty>} />
}

interface Wish {
  name: string
  mode: string
  severity?: string
  secrets?: string
  config?: string
  malware?: string
  flags: string[]
  max_age_days?: number
  include?: string
  cves?: string
  packages?: string
  registries?: string
  labels?: string
}

const words = (text: string | undefined) => (text ?? '').split(/\s+/).filter(Boolean)

function Add({ close }: { close: () => void }) {
  const { t } = useTranslation('images')
  const [form] = Form.useForm<Wish>()
  const add = useChange(
    (wish: Wish) =>
      post('/image-policies', {
        name: wish.name,
        mode: wish.mode,
        include: words(wish.include),
        rules: {
          ...Object.fromEntries((['severity', 'secrets', 'config', 'malware'] as const).filter((name) => wish[name]).map((name) => [name, wish[name]])),
          ...Object.fromEntries(wish.flags.map((flag) => [flag, true])),
          ...Object.fromEntries(TEXTS.filter((name) => words(wish[name]).length).map((name) => [name, words(wish[name])])),
          ...(wish.max_age_days ? { max_age_days: wish.max_age_days } : {}),
        },
      }),
    'image-policies',
    'image-decisions',
  )
  const severities = [{ value: '', label: t('policy.notAsked') }, ...SEVERITIES.filter((name) => name !== 'unknown' && name !== 'info').map((value) => ({ value, label: t('policy.atLeast', { value: t(`shell:severity.${value}`, { defaultValue: value }) }) }))]
  return (
    <Modal open width={640} title={t('policy.add')} okText={t('policy.keep')} cancelText={t('shell:cancel')} onCancel={close} onOk={() => form.submit()} confirmLoading={add.isPending}>
      <Form<Wish> form={form} layout="vertical" requiredMark={false} initialValues={{ mode: 'observe', flags: [], severity: '', secrets: '', config: '', malware: '' }} onFinish={(wish) => add.mutate(wish, { onSuccess: close })}>
        <Form.Item name="name" label={t('many.name')} rules={[{ required: true, whitespace: true, message: t('shell:required') }]}>
          <Input autoFocus maxLength={255} />
        </Form.Item>
        <Form.Item name="mode" label={t('policy.mode')} extra={t('policy.modeAbout')}>
          <Radio.Group options={['observe', 'enforce'].map((value) => ({ value, label: t(`policy.modes.${value}`) }))} />
        </Form.Item>
        <Form.Item name="severity" label={t('vulnerabilities')}>
          <Select options={severities} />
        </Form.Item>
        <Form.Item name="malware" label={t('found.malware')}>
          <Select options={[{ value: '', label: t('policy.notAsked') }, ...['malicious', 'suspicious', 'noted'].map((value) => ({ value, label: t(`found.sure.${value}`) }))]} />
        </Form.Item>
        <Form.Item name="secrets" label={t('found.secrets')}>
          <Select options={severities} />
        </Form.Item>
        <Form.Item name="config" label={t('found.misconfigurations')}>
          <Select options={severities} />
        </Form.Item>
        <Form.Item name="flags" label={t('policy.also')}>
          <Checkbox.Group style={{ display: 'grid' }} options={FLAGS.map((value) => ({ value, label: t(`policy.rule.${value}`, { value: '' }) }))} />
        </Form.Item>
        <Form.Item name="max_age_days" label={t('policy.age')}>
          <InputNumber min={0} />
        </Form.Item>
        {TEXTS.map((name) => (
          <Form.Item key={name} name={name} label={t(`policy.text.${name}`)}>
            <Input />
          </Form.Item>
        ))}
        <Form.Item name="include" label={t('policy.include')} extra={t('policy.includeAbout')}>
          <Input placeholder="registry.example/shop/*" />
        </Form.Item>
      </Form>
    </Modal>
  )
}
