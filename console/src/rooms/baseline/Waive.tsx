/** Accept a deviation: asked once, with who, why and until when; what was done can be undone at once. */
import { App, Button, Form, Input, Modal, Radio, Space } from 'antd'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { post, remove } from '@/api/client'
import { useMay, useUser } from '@/api/session'
import { Failure, useExplain } from '@/parts/Failure'
import { exact } from '@/parts/Time'
import { say } from '@/shell/i18n'
import type { Result, Waiver } from './data'

const DAYS = [30, 90, 180, 365]
const end = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().replace(/\.\d+Z$/, 'Z')

interface Wish {
  scope: 'asset' | 'all'
  reason: string
  owner: string
  days: number
}

export function useUnwaive() {
  const { t } = useTranslation('baseline')
  const { message } = App.useApp()
  const explain = useExplain()
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => remove(`/baselines/waivers/${encodeURIComponent(id)}`),
    onSuccess: () => void message.success(t('waive.undone')),
    onError: (error) => void message.error(Object.values(explain(error)).filter(Boolean).join(': ')),
    onSettled: async () => {
      await client.invalidateQueries({ queryKey: ['baselines'] })
      await client.invalidateQueries({ queryKey: ['waivers'] })
      await client.invalidateQueries({ queryKey: ['baselineChecks'] })
      await client.invalidateQueries({ queryKey: ['baselineAssets'] })
    },
  })
}

export function Waive({ result }: { result: Result }) {
  const { t } = useTranslation('baseline')
  const [open, setOpen] = useState(false)
  if (!useMay('operator')) return null
  return (
    <>
      <Button size="small" onClick={() => setOpen(true)}>
        {t('waive.open')}
      </Button>
      {open && <Ask result={result} close={() => setOpen(false)} />}
    </>
  )
}

function Ask({ result, close }: { result: Result; close: () => void }) {
  const { t } = useTranslation('baseline')
  const user = useUser()
  const { notification } = App.useApp()
  const client = useQueryClient()
  const undo = useUnwaive()
  const [form] = Form.useForm<Wish>()
  const days = Form.useWatch('days', form) ?? 90
  const make = useMutation({
    mutationFn: (wish: Wish) =>
      post<Waiver>('/baselines/waivers', {
        check: result.check,
        selector: wish.scope === 'all' ? {} : { id: result.asset.id },
        owner: wish.owner.trim(),
        reason: wish.reason.trim(),
        expires_at: end(wish.days),
      }),
    onSuccess: (waiver) => {
      close()
      notification.success({
        key: waiver.id,
        title: t('waive.done'),
        description: t('waive.doneAbout', { until: exact(waiver.expires_at) }),
        duration: 10,
        actions: (
          <Button
            size="small"
            onClick={() => {
              notification.destroy(waiver.id)
              undo.mutate(waiver.id)
            }}
          >
            {t('waive.undo')}
          </Button>
        ),
      })
      for (const key of ['baselines', 'waivers', 'baselineChecks', 'baselineAssets']) void client.invalidateQueries({ queryKey: [key] })
    },
  })
  return (
    <Modal
      open
      title={t('waive.title', { check: say(result.title) })}
      okText={t('waive.submit')}
      cancelText={t('shell:cancel')}
      onCancel={close}
      onOk={() => form.submit()}
      confirmLoading={make.isPending}
    >
      <p>{t('waive.about')}</p>
      <Form<Wish> form={form} layout="vertical" requiredMark={false} initialValues={{ scope: 'asset', owner: user.name, days: 90 }} onFinish={(wish) => make.mutate(wish)}>
        <Form.Item name="scope" label={t('waive.scope')}>
          <Radio.Group>
            <Space orientation="vertical">
              <Radio value="asset">{t('waive.scopeAsset', { name: result.asset.name })}</Radio>
              <Radio value="all">{t('waive.scopeAll')}</Radio>
            </Space>
          </Radio.Group>
        </Form.Item>
        <Form.Item name="reason" label={t('waive.reason')} rules={[{ required: true, whitespace: true, min: 3, message: t('waive.reasonNeeded') }]}>
          <Input.TextArea rows={3} maxLength={2000} placeholder={t('waive.reasonHint')} />
        </Form.Item>
        <Form.Item name="owner" label={t('waive.owner')} rules={[{ required: true, whitespace: true, message: t('shell:required') }]}>
          <Input maxLength={64} />
        </Form.Item>
        <Form.Item name="days" label={t('waive.until')} extra={exact(end(days))}>
          <Radio.Group optionType="button" options={DAYS.map((value) => ({ value, label: t('waive.days', { count: value }) }))} />
        </Form.Item>
      </Form>
      {make.error ? <Failure error={make.error} /> : null}
    </Modal>
  )
}
