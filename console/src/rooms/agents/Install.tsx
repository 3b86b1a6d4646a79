import { Alert, Button, Form, InputNumber, Modal, Select, Space } from 'antd'
import { useMutation } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { post } from '@/api/client'
import { Copyable } from '@/parts/Copyable'
import { Failure } from '@/parts/Failure'
import { exact } from '@/parts/Time'

interface Made {
  token: string
  expires_at: string
  command: string
}

/** How to install one more: a command with a token that expires and counts its uses. */
export function Install({ close }: { close: () => void }) {
  const { t } = useTranslation('agents')
  const make = useMutation({ mutationFn: (wish: { ttl_hours: number; uses: number }) => post<Made>('/agents/enrolment-tokens', wish) })
  return (
    <Modal open title={t('install.title')} onCancel={close} footer={null} width={720}>
      <p>{t('install.about')}</p>
      {!make.data && (
        <Form layout="inline" initialValues={{ ttl_hours: 24, uses: 1 }} onFinish={(wish: { ttl_hours: number; uses: number }) => make.mutate(wish)}>
          <Form.Item name="ttl_hours" label={t('install.valid')}>
            <Select style={{ width: 130 }} options={[1, 24, 168].map((value) => ({ value, label: t(`install.hours.${value}`) }))} />
          </Form.Item>
          <Form.Item name="uses" label={t('install.uses')}>
            <InputNumber min={1} max={1000} />
          </Form.Item>
          <Button type="primary" htmlType="submit" loading={make.isPending}>
            {t('install.make')}
          </Button>
        </Form>
      )}
      {make.error ? <Failure error={make.error} /> : null}
      {make.data && (
        <Space orientation="vertical" size="middle" style={{ width: '100%' }}>
          <div data-test="install-command">
            <Copyable text={make.data.command} block />
          </div>
          <Alert type="info" showIcon title={t('install.expires', { time: exact(make.data.expires_at) })} description={t('install.needs')} />
        </Space>
      )}
    </Modal>
  )
}
