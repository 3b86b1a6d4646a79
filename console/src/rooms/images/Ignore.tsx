/** Decide that a finding does not count: why, by whom, until when, and how much that is. */
import { Alert, Form, Input, Modal, Select } from 'antd'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { post } from '@/api/client'
import { useChange } from './supply'

interface Wish {
  kind: string
  ids?: string
  packages?: string
  images?: string
  paths?: string
  reason: string
  status: string
  until?: string
}

const words = (text: string | undefined) => (text ?? '').split(/\s+/).filter(Boolean)

export function Ignore({ close, given = {} }: { close: () => void; given?: Partial<Wish> }) {
  const { t } = useTranslation('images')
  const [form] = Form.useForm<Wish>()
  const kind = Form.useWatch('kind', form) ?? 'vulnerability'
  const ids = Form.useWatch('ids', form) ?? given.ids ?? ''
  const preview = useQuery({
    queryKey: ['image-ignores', 'preview', kind, ids],
    queryFn: () => post<{ findings: number; images: number }>('/image-ignores/preview', { kind, ids: words(ids) }),
    enabled: words(ids).length > 0,
  })
  const add = useChange(
    (wish: Wish) => post('/image-ignores', { kind: wish.kind, reason: wish.reason, status: wish.status, until: wish.until ?? '', ids: words(wish.ids), packages: words(wish.packages), images: words(wish.images), paths: words(wish.paths) }),
    'image-ignores',
    'images',
    'vulnerabilities',
  )
  return (
    <Modal open title={t('ignore.add')} okText={t('ignore.keep')} cancelText={t('shell:cancel')} onCancel={close} onOk={() => form.submit()} confirmLoading={add.isPending}>
      <Form<Wish> form={form} layout="vertical" requiredMark={false} initialValues={{ kind: 'vulnerability', status: 'accepted', ...given }} onFinish={(wish) => add.mutate(wish, { onSuccess: close })}>
        <Form.Item name="kind" label={t('column.kind')}>
          <Select options={['vulnerability', 'secret', 'malware', 'config'].map((value) => ({ value, label: t(`ignore.kinds.${value}`) }))} />
        </Form.Item>
        <Form.Item name="ids" label={t('ignore.ids')}>
          <Input placeholder="CVE-2024-1234" maxLength={4000} />
        </Form.Item>
        <Form.Item name="packages" label={t('ignore.packages')}>
          <Input placeholder="openssl lib*" maxLength={4000} />
        </Form.Item>
        <Form.Item name="images" label={t('ignore.images')}>
          <Input placeholder="registry.example/app:*" maxLength={4000} />
        </Form.Item>
        <Form.Item name="paths" label={t('ignore.paths')}>
          <Input placeholder="usr/share/*" maxLength={4000} />
        </Form.Item>
        <Form.Item name="status" label={t('ignore.status')}>
          <Select options={['accepted', 'not_affected', 'fixed'].map((value) => ({ value, label: t(`ignore.statuses.${value}`) }))} />
        </Form.Item>
        <Form.Item name="reason" label={t('ignore.reason')} rules={[{ required: true, whitespace: true, message: t('shell:required') }]}>
          <Input.TextArea rows={2} maxLength={2000} />
        </Form.Item>
        <Form.Item name="until" label={t('ignore.until')} extra={t('ignore.untilAbout')}>
          <Input type="date" style={{ width: 180 }} />
        </Form.Item>
      </Form>
      {preview.data && <Alert type="info" showIcon title={t('ignore.preview', { findings: preview.data.findings, images: preview.data.images })} />}
    </Modal>
  )
}
