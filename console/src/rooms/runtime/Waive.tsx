/** 加白: decide not to be told of it any more. What holds is chosen from the alert; what it would have silenced is shown while choosing. */
import { Alert as Note, App, Button, Checkbox, Form, Input, Modal, Radio, Skeleton } from 'antd'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { post, remove } from '@/api/client'
import { useMay, useUser } from '@/api/session'
import { EntityLink } from '@/parts/EntityLink'
import { Failure, useExplain } from '@/parts/Failure'
import { SeverityMark } from '@/parts/Severity'
import { exact, Time } from '@/parts/Time'
import { number } from '@/shell/i18n'
import { callOf, titleOf, type Alert } from './data'
import { waiverPath, type Preview, type Waiver } from './policy'

const HOURS = 168
const DAYS = [7, 30, 90, 365]
export const endOf = (days: number) => (days ? new Date(Date.now() + days * 86_400_000).toISOString().replace(/\.\d+Z$/, '.000Z') : null)

/** Fields of the alert by which a waiver can be narrowed, with those chosen at first. */
function fieldsOf(alert: Alert): { name: string; value: string; chosen: boolean }[] {
  const { container, process, evidence } = alert
  const dialled = evidence.stdio?.find((one) => one.peer)?.peer
  const one = (name: string, value: unknown, chosen = false) => ({ name, value: value === undefined || value === null ? '' : String(value), chosen })
  return [
    one('container.image', container.image, true),
    one('container.name', container.name),
    one('k8s.ns.name', container.namespace),
    one('proc.exepath', process.exe, true),
    // Secrets are hidden in what the alert carries: such arguments cannot be compared.
    one('proc.args', process.args?.some((word) => word.includes('***')) ? '' : process.args?.slice(1).join(' ')),
    one('proc.pname', alert.ancestors[0]?.name),
    one('user.uid', process.uid),
    one('fd.name', evidence.file?.path, Boolean(evidence.file?.path)),
    one('fd.rip', evidence.peer?.host, Boolean(evidence.peer?.host)),
    one('fd.rport', evidence.peer?.port || ''),
    one('stdio.ip', evidence.peer ? '' : dialled?.host, !evidence.peer && Boolean(dialled?.host)),
    one('stdio.port', evidence.peer ? '' : dialled?.port || ''),
    one('dns.name', evidence.dns?.name, true),
    one('sample.sha256', evidence.sample?.sha256, true),
    one('evt.type', evidence.syscall ? callOf(alert) : ''),
  ].filter(({ value }) => value !== '')
}

export function WaiveAlert({ alert }: { alert: Alert }) {
  const { t } = useTranslation('runtime')
  const [open, setOpen] = useState(false)
  if (!useMay('operator')) return null
  return (
    <>
      <Button size="small" onClick={() => setOpen(true)}>
        {t('waive.open')}
      </Button>
      {open && <Ask alert={alert} close={() => setOpen(false)} />}
    </>
  )
}

interface Wish {
  chosen: string[]
  owner: string
  reason: string
  days: number
}

function Ask({ alert, close }: { alert: Alert; close: () => void }) {
  const { t } = useTranslation('runtime')
  const user = useUser()
  const admin = useMay('admin')
  const { notification } = App.useApp()
  const client = useQueryClient()
  const takeBack = useTakeBack()
  const [form] = Form.useForm<Wish>()
  const offered = useMemo(() => fieldsOf(alert), [alert])
  const first = offered.filter(({ chosen }) => chosen).map(({ name }) => name)
  const chosen = Form.useWatch('chosen', form) ?? first
  const days = Form.useWatch('days', form) ?? 30
  const scope = { rules: [alert.rule], fields: Object.fromEntries(offered.filter(({ name }) => chosen.includes(name)).map(({ name, value }) => [name, value])) }
  const make = useMutation({
    mutationFn: (wish: Wish) => post<Waiver>('/waivers', { ...scope, owner: wish.owner.trim(), reason: wish.reason.trim(), expires_at: endOf(wish.days) }),
    onSuccess: (waiver) => {
      close()
      notification.success({
        key: waiver.id,
        title: t('waive.done'),
        description: waiver.expires_at ? t('waive.doneAbout', { until: exact(waiver.expires_at) }) : t('waive.doneNever'),
        duration: 10,
        actions: (
          <Button
            size="small"
            onClick={() => {
              notification.destroy(waiver.id)
              takeBack.mutate(waiver.id)
            }}
          >
            {t('waive.undo')}
          </Button>
        ),
      })
      for (const key of ['waivers', 'rules', 'alerts']) void client.invalidateQueries({ queryKey: [key] })
    },
  })
  return (
    <Modal open width={720} style={{ top: 24 }} title={t('waive.title')} okText={t('waive.submit')} cancelText={t('shell:cancel')} onCancel={close} onOk={() => form.submit()} confirmLoading={make.isPending}>
      <p>{t('waive.about')}</p>
      <Form<Wish> form={form} layout="vertical" requiredMark={false} initialValues={{ chosen: first, owner: user.name, days: 30 }} onFinish={(wish) => make.mutate(wish)}>
        <Form.Item label={t('waive.holds')}>
          <div className="waive-fields">
            <Checkbox checked disabled>
              <span className="waive-name">{t('column.rule')}</span> <code>{alert.rule}</code>
            </Checkbox>
            <Form.Item name="chosen" noStyle>
              <Checkbox.Group
                className="waive-fields"
                options={offered.map(({ name, value }) => ({
                  value: name,
                  label: (
                    <>
                      <span className="waive-name">{t(`field.${name.replaceAll('.', '_')}`)}</span> <code title={value}>{value}</code>
                    </>
                  ),
                }))}
              />
            </Form.Item>
          </div>
        </Form.Item>
        {chosen.length === 0 && <Note type="warning" showIcon title={t('waive.wide')} style={{ marginBottom: 12 }} />}
        <Foreseen scope={scope} />
        <Form.Item name="reason" label={t('waive.reason')} rules={[{ required: true, whitespace: true, min: 3, message: t('waive.reasonNeeded') }]}>
          <Input.TextArea rows={2} maxLength={2000} placeholder={t('waive.reasonHint')} />
        </Form.Item>
        <div className="owner-until">
          <Form.Item name="owner" label={t('waive.owner')} rules={[{ required: true, whitespace: true, message: t('shell:required') }]}>
            <Input maxLength={64} />
          </Form.Item>
          <Form.Item name="days" label={t('waive.until')} extra={days ? exact(endOf(days) ?? '') : t('waive.neverAbout')}>
            <Radio.Group optionType="button" options={[...DAYS.map((value) => ({ value, label: t('waive.days', { count: value }) })), ...(admin ? [{ value: 0, label: t('waive.never') }] : [])]} />
          </Form.Item>
        </div>
      </Form>
      {make.error ? <Failure error={make.error} /> : null}
    </Modal>
  )
}

/** What the waiver would have silenced in the last seven days, had it been there. */
export function Foreseen({ scope }: { scope: { rules: string[]; fields: Record<string, string | string[]> } }) {
  const { t } = useTranslation('runtime')
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: ['waivers', 'preview', scope],
    queryFn: () => post<Preview>('/waivers/preview', { ...scope, hours: HOURS }),
    placeholderData: (before) => before,
  })
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />
  return (
    <section className="panel foreseen" data-test="foreseen" aria-busy={isFetching}>
      {!data && <Skeleton active title={false} paragraph={{ rows: 2 }} />}
      {data && (
        <>
          <b>{data.count ? t('waive.would', { count: data.count, shown: number(data.count) }) : t('waive.wouldNone')}</b>
          {data.truncated && <div className="quiet">{t('waive.truncated')}</div>}
          {data.unknown && data.unknown.length > 0 && <div className="medium">{t('waive.unknown', { fields: data.unknown.join(', ') })}</div>}
          <ul className="rows">
            {data.alerts.slice(0, 5).map((one) => (
              <li key={one.id}>
                <SeverityMark name={one.severity} size={10} />
                <span className="grow">
                  <EntityLink kind="alert" id={one.id}>
                    {titleOf(one)}
                  </EntityLink>
                </span>
                <span className="quiet">{one.container.name || one.host_name}</span>
                <Time at={one.last_seen} />
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  )
}

export function useTakeBack() {
  const { t } = useTranslation('runtime')
  const { message } = App.useApp()
  const explain = useExplain()
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => remove(waiverPath(id)),
    onSuccess: () => void message.success(t('waive.undone')),
    onError: (error) => void message.error(Object.values(explain(error)).filter(Boolean).join(': ')),
    onSettled: () => {
      for (const key of ['waivers', 'rules', 'alerts']) void client.invalidateQueries({ queryKey: [key] })
    },
  })
}
