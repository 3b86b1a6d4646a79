import { App, Form, Input, Modal, Radio, Select } from 'antd'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { post, put } from '@/api/client'
import { Failure } from '@/parts/Failure'
import { SEVERITIES } from '@/parts/Severity'
import { userRulePath, type RuleForm, type Scope, type UserRule } from './policy'
import { bareRule } from './OwnPage'
import { ScopeInputs } from './ScopeField'

const LISTS = ['process', 'arguments', 'parent', 'file', 'syscall'] as const
const EMPTY: RuleForm = { process: [], arguments: [], parent: [], file: [], access: 'write', syscall: [], where: 'container' }

interface Wish extends RuleForm {
  title: string
  action: UserRule['action']
  severity: string
}

/** A rule by form: what fits (all that is given must), where, and what shall be done. */
export function OwnForm({ rule, close }: { rule?: UserRule; close: () => void }) {
  const { t } = useTranslation('runtime')
  const { message } = App.useApp()
  const client = useQueryClient()
  const [form] = Form.useForm<Wish>()
  const [scope, setScope] = useState<Scope>(rule?.scope ?? {})
  const action = Form.useWatch('action', form) ?? rule?.action ?? 'alert'
  const files = Form.useWatch('file', form) ?? rule?.file ?? []
  const save = useMutation({
    mutationFn: (wish: Wish) => {
      const body = { ...(rule ? bareRule(rule) : { ...EMPTY, severity: 'medium', enabled: true }), ...wish, title: wish.title.trim(), scope }
      return rule ? put<UserRule>(userRulePath(rule.id), body) : post<UserRule>('/user-rules', body)
    },
    onSuccess: () => {
      void message.success(t('own.saved'))
      for (const key of ['userRules', 'rules', 'ruleGroups']) void client.invalidateQueries({ queryKey: [key] })
      close()
    },
  })
  return (
    <Modal open width={720} style={{ top: 24 }} title={t(rule ? 'own.edit' : 'own.new')} okText={t('own.save')} cancelText={t('shell:cancel')} onCancel={close} onOk={() => form.submit()} confirmLoading={save.isPending}>
      <Form<Wish> className="compact-form" form={form} layout="vertical" requiredMark={false} initialValues={rule ?? { ...EMPTY, title: '', action: 'alert', severity: 'medium' }} onFinish={(wish) => save.mutate(wish)}>
        <Form.Item name="title" label={t('rule.title')} rules={[{ required: true, whitespace: true, message: t('shell:required') }]}>
          <Input maxLength={200} placeholder={t('own.titleHint')} />
        </Form.Item>
        <div className="side-by-side">
          <Form.Item name="action" label={t('rule.action')} extra={t(`actionAbout.${action}`)}>
            <Radio.Group optionType="button" options={['alert', 'block', 'allow'].map((value) => ({ value, label: t(`action.${value}`) }))} />
          </Form.Item>
          {action !== 'allow' && (
            <Form.Item name="severity" label={t('column.severity')}>
              <Select options={SEVERITIES.filter((name) => name !== 'unknown').map((value) => ({ value, label: t(`shell:severity.${value}`) }))} />
            </Form.Item>
          )}
        </div>
        <h3>{t('own.fits')}</h3>
        <p className="quiet">{t('own.fitsAbout')}</p>
        <div className="side-by-side">
          {LISTS.map((name) => (
            <Form.Item key={name} name={name} label={t(`own.${name}`)} dependencies={name === 'process' ? [...LISTS.slice(1)] : []} rules={name === 'process' ? [{ validator: () => (LISTS.some((one) => (form.getFieldValue(one) as string[] | undefined)?.length) ? Promise.resolve() : Promise.reject(new Error(t('own.empty')))) }] : []}>
              <Select mode="tags" open={false} suffixIcon={null} placeholder={t(`own.${name}Hint`)} tokenSeparators={name === 'arguments' ? [] : [',', ' ']} />
            </Form.Item>
          ))}
          {files.length > 0 && (
            <Form.Item name="access" label={t('own.access')}>
              <Radio.Group optionType="button" options={['write', 'read', 'any'].map((value) => ({ value, label: t(`access.${value}`) }))} />
            </Form.Item>
          )}
        </div>
        <h3>{t('file.scope')}</h3>
        <Form.Item name="where">
          <Radio.Group optionType="button" options={['container', 'host', 'all'].map((value) => ({ value, label: t(`where.${value}`) }))} />
        </Form.Item>
      </Form>
      <ScopeInputs value={scope} onChange={setScope} />
      {save.error ? <Failure error={save.error} /> : null}
    </Modal>
  )
}
