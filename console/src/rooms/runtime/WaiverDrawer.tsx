import { Alert as Note, App, Button, Form, Input, Modal, Popconfirm, Radio, Space } from 'antd'
import { useIsMutating, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate, useParams } from 'react-router'
import { get, patch } from '@/api/client'
import { useMay } from '@/api/session'
import { Copyable } from '@/parts/Copyable'
import { Drawer } from '@/parts/Drawer'
import { EntityLink } from '@/parts/EntityLink'
import { Facts, Section } from '@/parts/Facts'
import { Failure } from '@/parts/Failure'
import { exact, Time } from '@/parts/Time'
import { number } from '@/shell/i18n'
import { Audit } from './Audit'
import { waiverPath, type Waiver } from './policy'
import { endOf, Foreseen, useTakeBack } from './Waive'
import './runtime.css'

export function WaiverDrawer() {
  const { id = '' } = useParams()
  const { t } = useTranslation('runtime')
  const leaving = useIsMutating({ mutationKey: ['waivers', 'delete', id] }) > 0
  const query = useQuery({
    queryKey: ['waivers', 'one', id],
    enabled: !leaving,
    queryFn: ({ signal }) => get<Waiver>(waiverPath(id), signal),
  })
  const waiver = query.data
  return (
    <Drawer list="/waivers" query={query} title={t('waive.one')}>
      {waiver && <Body waiver={waiver} />}
    </Drawer>
  )
}

function Body({ waiver }: { waiver: Waiver }) {
  const { t } = useTranslation('runtime')
  const fields = Object.entries(waiver.fields ?? {})
  return (
    <>
      <Actions waiver={waiver} />
      {waiver.state === 'expired' && <Note type="info" showIcon title={t('waive.expiredAbout')} style={{ marginBottom: 12 }} />}
      <Section title={t('section.what')}>
        <Facts
          items={[
            [t('column.rule'), waiver.rules.length ? <span key="r">{waiver.rules.map((rule) => <div key={rule}><EntityLink kind="rule" id={rule} /></div>)}</span> : <span key="r" className="medium">{t('waive.allRules')}</span>],
            ...fields.map(([name, value]): [string, React.ReactNode] => [t(`field.${name.replaceAll('.', '_')}`, { defaultValue: name }), <code key={name}>{Array.isArray(value) ? value.join(', ') : value}</code>]),
            [t('waive.silenced'), number(waiver.silenced)],
            [t('waive.last'), <Time key="l" at={waiver.last_silenced} />],
          ]}
        />
      </Section>
      <Section title={t('section.condition')}>
        <Copyable text={waiver.condition} block />
      </Section>
      <Section title={t('section.decision')}>
        <Facts
          items={[
            [t('waive.owner'), waiver.owner],
            [t('waive.until'), waiver.expires_at ? <Time key="e" at={waiver.expires_at} /> : t('waive.never')],
          ]}
        />
        <p>{waiver.reason}</p>
      </Section>
      <Section title={t('section.foreseen')}>
        <Foreseen scope={{ rules: waiver.rules, fields: waiver.fields }} />
      </Section>
      <Audit row={waiver} />
    </>
  )
}

interface Wish {
  owner: string
  reason: string
  days: number
}

const KEEP = -1
const DAYS = [7, 30, 90, 365]

function Actions({ waiver }: { waiver: Waiver }) {
  const { t } = useTranslation('runtime')
  const navigate = useNavigate()
  const [editing, setEditing] = useState(false)
  const takeBack = useTakeBack()
  const drop = useMutation({
    mutationKey: ['waivers', 'delete', waiver.id],
    mutationFn: async () => {
      await takeBack.mutateAsync(waiver.id)
      await navigate('/waivers', { flushSync: true })
    },
  })
  if (!useMay('operator')) return null
  return (
    <Space className="actions">
      <Button size="small" type="primary" onClick={() => setEditing(true)}>
        {t('waive.edit')}
      </Button>
      <Popconfirm title={t('waive.takeBackAsk')} description={t('waive.takeBackAbout')} okText={t('waive.takeBack')} okButtonProps={{ danger: true }} cancelText={t('shell:cancel')} onConfirm={() => drop.mutateAsync().catch(() => undefined)}>
        <Button size="small" danger loading={drop.isPending}>
          {t('waive.takeBack')}
        </Button>
      </Popconfirm>
      {editing && <Edit waiver={waiver} close={() => setEditing(false)} />}
    </Space>
  )
}

function Edit({ waiver, close }: { waiver: Waiver; close: () => void }) {
  const { t } = useTranslation('runtime')
  const admin = useMay('admin')
  const { message } = App.useApp()
  const client = useQueryClient()
  const [form] = Form.useForm<Wish>()
  const days = Form.useWatch('days', form) ?? KEEP
  const save = useMutation({
    mutationFn: (wish: Wish) => patch(waiverPath(waiver.id), { owner: wish.owner.trim(), reason: wish.reason.trim(), ...(wish.days === KEEP ? {} : { expires_at: endOf(wish.days) }) }),
    onSuccess: () => {
      void message.success(t('waive.changed'))
      void client.invalidateQueries({ queryKey: ['waivers'] })
      close()
    },
  })
  const until = days === KEEP ? waiver.expires_at : endOf(days)
  return (
    <Modal open title={t('waive.edit')} okText={t('editor.save')} cancelText={t('shell:cancel')} onCancel={close} onOk={() => form.submit()} confirmLoading={save.isPending}>
      <Form<Wish> form={form} layout="vertical" requiredMark={false} initialValues={{ owner: waiver.owner, reason: waiver.reason, days: KEEP }} onFinish={(wish) => save.mutate(wish)}>
        <Form.Item name="reason" label={t('waive.reason')} rules={[{ required: true, whitespace: true, min: 3, message: t('waive.reasonNeeded') }]}>
          <Input.TextArea rows={3} maxLength={2000} />
        </Form.Item>
        <Form.Item name="owner" label={t('waive.owner')} rules={[{ required: true, whitespace: true, message: t('shell:required') }]}>
          <Input maxLength={64} />
        </Form.Item>
        <Form.Item name="days" label={t('waive.until')} extra={until ? exact(until) : t('waive.neverAbout')}>
          <Radio.Group optionType="button" options={[{ value: KEEP, label: t('waive.asItIs') }, ...DAYS.map((value) => ({ value, label: t('waive.days', { count: value }) })), ...(admin ? [{ value: 0, label: t('waive.never') }] : [])]} />
        </Form.Item>
      </Form>
      {save.error ? <Failure error={save.error} /> : null}
    </Modal>
  )
}
