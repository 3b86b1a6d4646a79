import { App, Button, Popconfirm, Space } from 'antd'
import { useIsMutating, useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate, useParams } from 'react-router'
import { ApiError, remove } from '@/api/client'
import { useMay } from '@/api/session'
import { Copyable } from '@/parts/Copyable'
import { Drawer } from '@/parts/Drawer'
import { Facts, Section } from '@/parts/Facts'
import { useExplain } from '@/parts/Failure'
import { Severity } from '@/parts/Severity'
import { scopeText } from './FilesPage'
import { Audit } from './Audit'
import { OwnForm } from './OwnForm'
import { userRulePath, useUserRule, type UserRule } from './policy'

export function OwnDrawer() {
  const { id = '' } = useParams()
  const { t } = useTranslation('runtime')
  const leaving = useIsMutating({ mutationKey: ['userRules', 'delete', id] }) > 0
  const query = useUserRule(id, !leaving)
  const rule = query.data
  const gone = rule === null && !leaving ? new ApiError(404, t('own.noSuch')) : null
  return (
    <Drawer list="/user-rules" query={{ ...query, error: query.error ?? gone }} title={rule?.title ?? id}>
      {rule && <Body rule={rule} />}
    </Drawer>
  )
}

function Body({ rule }: { rule: UserRule }) {
  const { t } = useTranslation('runtime')
  const list = (words: string[] | undefined) => (words?.length ? <code>{words.join(', ')}</code> : undefined)
  return (
    <>
      <Actions rule={rule} />
      <Section title={t('section.what')}>
        <Facts
          items={[
            [t('rule.action'), `${t(`action.${rule.action}`)} · ${t(`actionAbout.${rule.action}`)}`],
            [t('column.severity'), rule.action === 'allow' ? undefined : <Severity key="s" name={rule.severity} />],
            [t('rule.enabled'), rule.enabled ? t('rule.on') : t('rule.off')],
            [t('own.process'), list(rule.process)],
            [t('own.arguments'), list(rule.arguments)],
            [t('own.parent'), list(rule.parent)],
            [t('own.file'), list(rule.file)],
            [t('own.access'), rule.file?.length ? t(`access.${rule.access}`) : undefined],
            [t('own.syscall'), list(rule.syscall)],
            [t('file.scope'), [t(`where.${rule.where}`), scopeText(rule.scope)].filter(Boolean).join(' · ')],
          ]}
        />
      </Section>
      <Section title={t('section.condition')}>
        <Copyable text={rule.text.trim()} block />
      </Section>
      <Audit row={rule} />
    </>
  )
}

function Actions({ rule }: { rule: UserRule }) {
  const { t } = useTranslation('runtime')
  const { message } = App.useApp()
  const explain = useExplain()
  const client = useQueryClient()
  const navigate = useNavigate()
  const [editing, setEditing] = useState(false)
  const drop = useMutation({
    mutationKey: ['userRules', 'delete', rule.id],
    mutationFn: () => remove(userRulePath(rule.id)),
    onSuccess: async () => {
      void message.success(t('own.deleted'))
      await navigate('/user-rules', { flushSync: true })
      for (const key of ['userRules', 'rules', 'ruleGroups']) void client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] === key && queryKey[1] !== 'one' })
    },
    onError: (error) => void message.error(Object.values(explain(error)).filter(Boolean).join(': ')),
  })
  if (!useMay('operator')) return null
  return (
    <Space className="actions">
      <Button size="small" type="primary" onClick={() => setEditing(true)}>
        {t('own.edit')}
      </Button>
      <Popconfirm title={t('own.deleteAsk')} okText={t('bulk.delete')} okButtonProps={{ danger: true }} cancelText={t('shell:cancel')} onConfirm={() => drop.mutateAsync().catch(() => undefined)}>
        <Button size="small" danger>
          {t('bulk.delete')}
        </Button>
      </Popconfirm>
      {editing && <OwnForm rule={rule} close={() => setEditing(false)} />}
    </Space>
  )
}
