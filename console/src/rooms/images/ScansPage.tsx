/** Scans of many images: how far they are, what is left of them, and when they begin by themselves. */
import { PlusOutlined, StopOutlined } from '@ant-design/icons'
import { Button, Checkbox, Form, Input, InputNumber, Modal, Popconfirm, Progress, Select, Switch, Tabs } from 'antd'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Outlet, useParams } from 'react-router'
import { get, patch, post, remove } from '@/api/client'
import { useMay } from '@/api/session'
import { DataTable, type Column, type Filter } from '@/parts/DataTable'
import { Drawer } from '@/parts/Drawer'
import { Empty } from '@/parts/Empty'
import { EntityLink } from '@/parts/EntityLink'
import { Page } from '@/parts/Page'
import { Time } from '@/parts/Time'
import { number } from '@/shell/i18n'
import { useChange, type Many, type Schedule, type Target } from './supply'

const SCANNERS = ['secret', 'malware', 'config']
const SCOPES = ['all', 'running', 'new', 'registry']

export function ScansPage() {
  const { t } = useTranslation('images')
  const may = useMay('operator')
  const [making, setMaking] = useState<'scan' | 'schedule' | null>(null)
  const [tab, setTab] = useState('scans')
  return (
    <Page
      title={t('many.title')}
      about={t('many.about')}
      actions={
        may && (
          <>
            <Button onClick={() => setMaking('schedule')}>{t('many.plan')}</Button>
            <Button type="primary" icon={<PlusOutlined />} onClick={() => setMaking('scan')}>
              {t('many.start')}
            </Button>
          </>
        )
      }
    >
      <Tabs activeKey={tab} onChange={setTab} items={['scans', 'schedules'].map((key) => ({ key, label: t(`many.${key}`) }))} />
      {tab === 'scans' ? <Scans may={may} /> : <Schedules may={may} />}
      {making && <Make planned={making === 'schedule'} close={() => setMaking(null)} />}
      <Outlet />
    </Page>
  )
}

function Scans({ may }: { may: boolean }) {
  const { t } = useTranslation('images')
  const stop = useChange((id: string) => post(`/image-scans/${id}/stop`), 'image-scans')
  const columns: Column<Many>[] = useMemo(
    () => [
      { key: 'name', title: t('many.name'), sort: 'name', width: 180, render: (row) => row.name },
      { key: 'state', title: t('many.state'), sort: 'state', width: 230, render: (row) => <State row={row} /> },
      { key: 'scope', title: t('many.scope'), width: 140, render: (row) => t(`many.scopes.${row.scope.kind}`) },
      { key: 'total', title: t('many.images'), sort: 'total', width: 90, align: 'right', render: (row) => number(row.total) },
      { key: 'failed', title: t('many.failed'), width: 90, align: 'right', render: (row) => (row.failed ? <b className="high">{number(row.failed)}</b> : <span className="quiet">0</span>) },
      { key: 'skipped', title: t('many.skipped'), width: 100, align: 'right', render: (row) => (row.skipped ? <b className="medium">{number(row.skipped)}</b> : <span className="quiet">0</span>) },
      { key: 'created', title: t('many.created'), sort: 'created_at', width: 120, render: (row) => <Time at={row.created_at} /> },
      { key: 'by', title: t('many.by'), width: 120, render: (row) => row.created_by },
      ...(may
        ? [
            {
              key: 'action',
              title: '',
              width: 90,
              align: 'right' as const,
              render: (row: Many) =>
                row.state === 'running' && (
                  <Popconfirm title={t('many.stopAsk')} description={t('many.stopAbout')} okText={t('many.stop')} cancelText={t('shell:cancel')} onConfirm={() => stop.mutateAsync(row.id).catch(() => undefined)}>
                    <Button size="small" icon={<StopOutlined />}>
                      {t('many.stop')}
                    </Button>
                  </Popconfirm>
                ),
            },
          ]
        : []),
    ],
    // eslint-disable-next-line
    [t, may],
  )
  const filters: Filter[] = useMemo(() => [{ key: 'state', label: t('many.state'), options: ['running', 'done', 'stopped', 'failed'].map((value) => ({ value, label: t(`many.states.${value}`) })) }], [t])
  return (
    <DataTable<Many>
      name="image-scans"
      path="/image-scans"
      columns={columns}
      filters={filters}
      sort="-created_at"
      every={3000}
      idOf={(row) => row.id}
      linkOf={(row) => `/image-scans/${row.id}`}
      empty={<Empty title={t('many.none')}>{t('many.noneNext')}</Empty>}
    />
  )
}

function State({ row }: { row: Many }) {
  const { t } = useTranslation('images')
  if (row.state !== 'running') return <span className={row.state === 'failed' ? 'high' : row.state === 'stopped' ? 'medium' : 'good'}>{t(`many.states.${row.state}`)}</span>
  const left = row.seconds_left === null ? '' : t('many.left', { minutes: Math.max(1, Math.round(row.seconds_left / 60)) })
  return (
    <span className="scan-running">
      <Progress percent={Math.round(row.progress * 100)} size="small" status="active" />
      <small className="quiet">
        {number(row.done + row.failed + row.skipped)} / {number(row.total)} {left}
      </small>
    </span>
  )
}

export function ScanDrawer() {
  const { id = '' } = useParams()
  const { t } = useTranslation('images')
  const query = useQuery({ queryKey: ['image-scans', 'one', id], queryFn: ({ signal }) => get<Many>(`/image-scans/${id}`, signal), refetchInterval: ({ state }) => (state.data?.state === 'running' ? 2000 : false) })
  const columns: Column<Target>[] = useMemo(
    () => [
      { key: 'target', title: t('column.name'), sort: 'target', width: 260, render: (row) => (row.image_id ? <EntityLink kind="image" id={row.image_id}>{row.target}</EntityLink> : row.target) },
      { key: 'state', title: t('many.state'), sort: 'state', width: 120, render: (row) => <span className={row.state === 'failed' ? 'high' : row.state === 'skipped' ? 'medium' : ''}>{t(`many.states.${row.state}`)}</span> },
      { key: 'error', title: t('many.why'), width: 280, render: (row) => <span title={row.error}>{row.error}</span> },
    ],
    [t],
  )
  return (
    <Drawer list="/image-scans" query={query} title={query.data?.name ?? t('many.title')}>
      {query.data && (
        <div style={{ marginBottom: 10 }}>
          <State row={query.data} />
        </div>
      )}
      <DataTable<Target> name="image-scans" remember="image-scan-targets" path={`/image-scans/${id}/targets`} columns={columns} sort="number" inAddress={false} every={3000} idOf={(row) => String(row.number)} empty={<Empty title={t('many.none')} />} />
    </Drawer>
  )
}

function Schedules({ may }: { may: boolean }) {
  const { t } = useTranslation('images')
  const turn = useChange((row: Schedule) => patch(`/image-schedules/${row.id}`, { enabled: !row.enabled }), 'image-schedules')
  const drop = useChange((row: Schedule) => remove(`/image-schedules/${row.id}`), 'image-schedules')
  const columns: Column<Schedule>[] = useMemo(
    () => [
      { key: 'name', title: t('many.name'), sort: 'name', width: 180, render: (row) => row.name },
      { key: 'enabled', title: t('many.enabled'), width: 90, render: (row) => <Switch size="small" checked={row.enabled} disabled={!may} aria-label={t('many.enabled')} onChange={() => turn.mutate(row)} /> },
      { key: 'scope', title: t('many.scope'), width: 140, render: (row) => t(`many.scopes.${row.form.scope.kind}`) },
      { key: 'when', title: t('many.when'), width: 260, render: ({ form: { timetable } }) => t('many.whenIs', { count: timetable.every_days, start: timetable.start, end: timetable.end || t('many.wholeDay'), zone: timetable.zone }) },
      { key: 'next', title: t('many.next'), sort: 'next_at', width: 130, render: (row) => (row.next_at ? <Time at={row.next_at} /> : <span className="quiet">–</span>) },
      { key: 'scans', title: t('many.scans'), sort: 'scans', width: 90, align: 'right', render: (row) => number(row.scans) },
      ...(may
        ? [{ key: 'action', title: '', width: 90, align: 'right' as const, render: (row: Schedule) => (
            <Popconfirm title={t('many.removeAsk', { name: row.name })} okText={t('many.remove')} okButtonProps={{ danger: true }} cancelText={t('shell:cancel')} onConfirm={() => drop.mutateAsync(row).catch(() => undefined)}>
              <Button size="small" danger type="text">{t('many.remove')}</Button>
            </Popconfirm>
          ) }]
        : []),
    ],
    // eslint-disable-next-line
    [t, may],
  )
  return <DataTable<Schedule> name="image-schedules" path="/image-schedules" columns={columns} sort="name" inAddress={false} idOf={(row) => row.id} empty={<Empty title={t('many.noSchedule')}>{t('many.noScheduleNext')}</Empty>} />
}

interface Wish {
  name: string
  kind: string
  scanners: string[]
  exclude?: string
  hours: number
  every_days: number
  start: string
  end: string
}

const lines = (text: string | undefined) => (text ?? '').split(/\s+/).filter(Boolean)

function Make({ planned, close }: { planned: boolean; close: () => void }) {
  const { t } = useTranslation('images')
  const [form] = Form.useForm<Wish>()
  const kind = Form.useWatch('kind', form) ?? 'all'
  const exclude = Form.useWatch('exclude', form) ?? ''
  const scope = { kind, exclude: lines(exclude) }
  const preview = useQuery({ queryKey: ['image-scans', 'preview', kind, exclude], queryFn: () => post<{ total: number; first: string[] }>('/image-scans/preview', scope) })
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  const make = useChange(
    ({ name, scanners, hours, every_days, start, end }: Wish) =>
      planned
        ? post('/image-schedules', { name, form: { scope, scanners, timetable: { every_days, start, end: end ?? '', zone } } })
        : post('/image-scans', { name: name ?? '', scope, scanners, hours }),
    'image-scans',
    'image-schedules',
  )
  return (
    <Modal open title={t(planned ? 'many.plan' : 'many.start')} okText={t(planned ? 'many.keep' : 'many.begin')} cancelText={t('shell:cancel')} onCancel={close} onOk={() => form.submit()} confirmLoading={make.isPending}>
      <Form<Wish>
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{ kind: 'all', scanners: SCANNERS, hours: 24, every_days: 1, start: '02:00', end: '' }}
        onFinish={(wish) => make.mutate(wish, { onSuccess: close })}
      >
        <Form.Item name="name" label={t('many.name')} rules={planned ? [{ required: true, whitespace: true, message: t('shell:required') }] : []}>
          <Input maxLength={255} />
        </Form.Item>
        <Form.Item name="kind" label={t('many.scope')} extra={preview.data && t('many.preview', { count: preview.data.total })}>
          <Select options={SCOPES.map((value) => ({ value, label: t(`many.scopes.${value}`) }))} />
        </Form.Item>
        <Form.Item name="exclude" label={t('many.exclude')} extra={t('many.excludeAbout')}>
          <Input placeholder="*/test-*:* scratch/*" maxLength={2000} />
        </Form.Item>
        <Form.Item name="scanners" label={t('many.scanners')} extra={t('many.scannersAbout')}>
          <Checkbox.Group options={SCANNERS.map((value) => ({ value, label: t(`many.scannerIs.${value}`) }))} />
        </Form.Item>
        {planned ? (
          <>
            <Form.Item name="every_days" label={t('many.every')}>
              <InputNumber min={1} max={365} />
            </Form.Item>
            <Form.Item name="start" label={t('many.from', { zone })} rules={[{ required: true, pattern: /^([01]?\d|2[0-3]):[0-5]\d$/, message: 'HH:MM' }]}>
              <Input style={{ width: 100 }} maxLength={5} />
            </Form.Item>
            <Form.Item name="end" label={t('many.until')} extra={t('many.untilAbout')} rules={[{ pattern: /^(([01]?\d|2[0-3]):[0-5]\d)?$/, message: 'HH:MM' }]}>
              <Input style={{ width: 100 }} maxLength={5} />
            </Form.Item>
          </>
        ) : (
          <Form.Item name="hours" label={t('many.hours')}>
            <InputNumber min={1} max={168} />
          </Form.Item>
        )}
      </Form>
    </Modal>
  )
}
