/** One file of rules: written here, checked while typing, tried on what the nodes recorded, then put in force. */
import { Alert as Note, App, Button, Input, Segmented, Skeleton, Space, Switch } from 'antd'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useBlocker, useNavigate, useParams } from 'react-router'
import { post, put } from '@/api/client'
import { useMay } from '@/api/session'
import { Failure, useExplain } from '@/parts/Failure'
import { Page } from '@/parts/Page'
import { Severity } from '@/parts/Severity'
import { say } from '@/shell/i18n'
import { CodeEditor, type Mark } from './CodeEditor'
import { formatOf } from './FilesPage'
import { filePath, titleText, useRuleFile, type Checked, type Format, type RuleFile, type Scope } from './policy'
import { ScopeField } from './ScopeField'
import { TryOut } from './TryOut'
import './runtime.css'

const SETTLE_MS = 350

const EXAMPLE = `# A rule says what an attack looks like among the events of a node.
- rule: my_scanner_started
  title: {en: A network scanner is started in a container, zh: 容器内启动网络扫描工具}
  why: {en: Containers serve; they do not explore., zh: 容器用于提供服务，不应进行网络探测。}
  advice: {en: Find out who started it., zh: 查明启动者。}
  category: abnormal_process
  severity: medium
  action: alert
  kinds: [exec]
  condition: container.id != host and proc.exename in (nmap, masscan, zmap)
  mitre: [T1046]
`

interface Draft {
  name: string
  format: Format
  text: string
  enabled: boolean
  scope: Scope
}

export function EditorPage() {
  const { id = 'new' } = useParams()
  const { t } = useTranslation('runtime')
  const fresh = id === 'new'
  const { data, error, refetch } = useRuleFile(fresh ? '' : id)
  const file = fresh ? { name: '', format: 'native' as const, text: EXAMPLE, enabled: true, scope: {} } : data
  return (
    <Page title={fresh ? t('file.new') : (data?.name ?? t('file.one'))} about={t('editor.about')}>
      {error && !data ? <Failure error={error} retry={() => void refetch()} /> : null}
      {!file && !error && <Skeleton active paragraph={{ rows: 12 }} />}
      {file && <Editor key={id} id={fresh ? '' : id} file={file} />}
    </Page>
  )
}

function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(value), SETTLE_MS)
    return () => window.clearTimeout(timer)
  }, [value])
  return settled
}

export const useCheck = (text: string, format: Format, id: string) =>
  useQuery({
    queryKey: ['check', format, text, id],
    queryFn: () => post<Checked>('/rules/check', { text, format, id }),
    placeholderData: (before) => before,
    staleTime: Infinity,
    gcTime: 60_000,
  })

function Editor({ id, file }: { id: string; file: Draft }) {
  const { t } = useTranslation('runtime')
  const may = useMay('operator')
  const navigate = useNavigate()
  const { message } = App.useApp()
  const explain = useExplain()
  const client = useQueryClient()
  const [draft, setDraft] = useState<Draft>(() => ({ name: file.name, format: file.format, text: file.text, enabled: file.enabled, scope: file.scope }))
  const [kept, setKept] = useState(() => JSON.stringify(draft))
  const [goTo, setGoTo] = useState<{ line: number } | null>(null)
  const [trying, setTrying] = useState(false)
  const change = (more: Partial<Draft>) => setDraft((before) => ({ ...before, ...more }))
  const dirty = JSON.stringify(draft) !== kept
  const check = useCheck(useSettled(draft.text), draft.format, id)
  const marks = useMemo<Mark[]>(
    () => [
      ...(check.data?.errors ?? []),
      ...(check.data?.warnings ?? []).filter((one) => typeof one !== 'string').map((one) => ({ ...one, warning: true })),
    ],
    [check.data],
  )
  const save = useMutation({
    mutationFn: () => (id ? put<RuleFile>(filePath(id), draft) : post<RuleFile>('/rule-files', draft)),
    onSuccess: (saved) => {
      setKept(JSON.stringify(draft))
      void message.success(saved.errors.length ? t('editor.savedBroken', { count: saved.errors.length }) : t('editor.saved', { count: saved.rules }))
      for (const key of ['ruleFiles', 'rules', 'ruleGroups']) void client.invalidateQueries({ queryKey: [key] })
      if (!id) void navigate(`/rule-files/${encodeURIComponent(saved.id)}`, { replace: true, state: { saved: true } })
    },
    onError: (error) => void message.error(Object.values(explain(error)).filter(Boolean).join(': ')),
  })
  useLeaving(dirty && !save.isPending && !save.isSuccess)
  return (
    <>
      <div className="editor-head">
        <Input value={draft.name} onChange={(event) => change({ name: event.target.value })} placeholder={t('file.name')} aria-label={t('file.name')} maxLength={120} style={{ width: 260 }} disabled={!may} />
        <Segmented value={draft.format} onChange={(format) => change({ format })} options={(['native', 'falco'] as const).map((value) => ({ value, label: t(`format.${value}`) }))} disabled={!may} />
        <label>
          <Switch size="small" checked={draft.enabled} onChange={(enabled) => change({ enabled })} disabled={!may} /> {t('file.inForce')}
        </label>
        <ScopeField value={draft.scope} onChange={(scope) => change({ scope })} disabled={!may} />
        <Space className="editor-actions">
          <Button onClick={() => setTrying(true)} disabled={!check.data || check.data.rules.length === 0}>
            {t('try.open')}
          </Button>
          {may && (
            <Button type="primary" onClick={() => save.mutate()} loading={save.isPending} disabled={!draft.name.trim() || !dirty}>
              {t('editor.save')}
            </Button>
          )}
        </Space>
      </div>
      <div className="editor-page">
        <CodeEditor value={draft.text} onChange={(text) => change({ text, ...(text && !draft.text ? { format: formatOf(text) } : {}) })} marks={marks} goTo={goTo} readOnly={!may} label={t('editor.label')} />
        <aside className="panel checked" data-test="checked" aria-busy={check.isFetching}>
          {check.error ? <Failure error={check.error} retry={() => void check.refetch()} /> : null}
          {check.data && <Found checked={check.data} goTo={(line) => setGoTo({ line })} />}
          {!check.data && !check.error && <Skeleton active paragraph={{ rows: 4 }} />}
        </aside>
      </div>
      {trying && <TryOut text={draft.text} format={draft.format} rules={check.data?.rules.map((rule) => rule.id) ?? []} close={() => setTrying(false)} />}
    </>
  )
}

/** Unsaved text is not lost by a wrong click. */
function useLeaving(dirty: boolean): void {
  const { t } = useTranslation('runtime')
  const { modal } = App.useApp()
  const blocker = useBlocker(({ nextLocation }) => dirty && !(nextLocation.state as { saved?: boolean } | null)?.saved)
  useEffect(() => {
    if (blocker.state !== 'blocked') return
    modal.confirm({ title: t('editor.leaveAsk'), content: t('editor.leaveAbout'), okText: t('editor.leave'), cancelText: t('editor.stay'), onOk: () => blocker.proceed(), onCancel: () => blocker.reset() })
    // asked once for each attempt
    // eslint-disable-next-line
  }, [blocker.state])
}

function Found({ checked, goTo }: { checked: Checked; goTo: (line: number) => void }) {
  const { t } = useTranslation('runtime')
  const to = (line: number) => (
    <Button type="link" size="small" onClick={() => goTo(line)}>
      {t('editor.line', { line })}
    </Button>
  )
  return (
    <>
      {checked.errors.length > 0 && (
        <section>
          <h3 className="high">{t('editor.errors', { count: checked.errors.length })}</h3>
          <ul className="rows">
            {checked.errors.map((one, place) => (
              <li key={place} className="found">
                <div>
                  {to(one.line)} {one.rule && <code>{one.rule}</code>}
                </div>
                <div>{one.message}</div>
                {one.hint && <div className="quiet">{one.hint}</div>}
              </li>
            ))}
          </ul>
        </section>
      )}
      {checked.warnings.length > 0 && (
        <section>
          <h3 className="medium">{t('editor.warnings', { count: checked.warnings.length })}</h3>
          <ul className="rows">
            {checked.warnings.map((one, place) => (
              <li key={place} className="found">
                {typeof one === 'string' ? one : <div>{to(one.line)} {one.message}</div>}
              </li>
            ))}
          </ul>
        </section>
      )}
      <section>
        <h3>{t('editor.found', { count: checked.rules.length })}</h3>
        {checked.errors.length === 0 && checked.rules.length > 0 && <Note type="success" showIcon title={t('editor.fine')} />}
        {checked.rules.length === 0 && checked.errors.length === 0 && <p className="quiet">{t('editor.noRules')}</p>}
        <ul className="rows">
          {checked.rules.slice(0, 200).map((rule) => (
            <li key={`${rule.id}-${rule.line}`} className="found">
              <div>
                <Severity name={rule.severity} /> · {t(`action.${rule.action}`)} {to(rule.line)}
              </div>
              <div title={rule.id}>{say(titleText(rule.title)) || rule.id}</div>
            </li>
          ))}
        </ul>
      </section>
    </>
  )
}
