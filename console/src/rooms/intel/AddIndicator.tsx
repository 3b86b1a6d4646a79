/** Block or allow one address, network, domain or file: an entry of one's own goes before every list. */
import { Form, Input, Modal, Radio, Select } from 'antd'
import { useMutation } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { post } from '@/api/client'
import { Failure } from '@/parts/Failure'
import type { Indicator } from './data'

const DAYS = [0, 1, 7, 30, 90, 365]

interface Wish {
  value: string
  kind: string
  days: number
  about?: string
}

const endOf = (days: number) => (days ? new Date(Date.now() + days * 86_400_000).toISOString() : null)

export function AddIndicator({ close, done }: { close: () => void; done: () => void }) {
  const { t } = useTranslation('intel')
  const [form] = Form.useForm<Wish>()
  const add = useMutation({
    mutationFn: ({ value, kind, days, about }: Wish) => post<Indicator>('/indicators', { value: value.trim(), kind, about: about?.trim() ?? '', expires_at: endOf(days) }),
    onSuccess: () => {
      done()
      close()
    },
  })
  return (
    <Modal open title={t('indicator.add')} okText={t('indicator.submit')} cancelText={t('shell:cancel')} onCancel={close} onOk={() => form.submit()} confirmLoading={add.isPending}>
      <Form<Wish> form={form} layout="vertical" requiredMark={false} initialValues={{ kind: 'blocked', days: 0 }} onFinish={(wish) => add.mutate(wish)}>
        <Form.Item name="value" label={t('indicator.value')} extra={t('indicator.valueAbout')} rules={[{ required: true, whitespace: true, message: t('indicator.valueNeeded') }]}>
          <Input autoFocus placeholder="203.0.113.7, 203.0.113.0/24, evil.example, SHA-256" maxLength={2048} />
        </Form.Item>
        <Form.Item name="kind" label={t('indicator.kind')}>
          <Radio.Group options={['blocked', 'allowed'].map((value) => ({ value, label: t(`indicator.kinds.${value}`) }))} />
        </Form.Item>
        <Form.Item name="days" label={t('indicator.expires')}>
          <Select style={{ width: 180 }} options={DAYS.map((value) => ({ value, label: value ? t('indicator.days', { count: value }) : t('indicator.never') }))} />
        </Form.Item>
        <Form.Item name="about" label={t('indicator.about')}>
          <Input maxLength={300} />
        </Form.Item>
      </Form>
      {add.error ? <Failure error={add.error} /> : null}
    </Modal>
  )
}
