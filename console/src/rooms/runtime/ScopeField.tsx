import { Button, Form, Popover, Select } from 'antd'
import { useTranslation } from 'react-i18next'
import { isEverywhere, scopeText } from './FilesPage'
import type { Scope } from './policy'

const PARTS = ['images', 'digests', 'namespaces', 'labels'] as const

/** Where rules hold: by image, digest, namespace and label; empty is everywhere. */
export function ScopeField({ value, onChange, disabled = false }: { value: Scope; onChange: (scope: Scope) => void; disabled?: boolean }) {
  const { t } = useTranslation('runtime')
  return (
    <Popover trigger="click" placement="bottomLeft" content={<div style={{ width: 340 }}><ScopeInputs value={value} onChange={onChange} disabled={disabled} /></div>}>
      <Button>
        {t('file.scope')}: {isEverywhere(value) ? t('file.everywhere') : <code className="clip">{scopeText(value)}</code>}
      </Button>
    </Popover>
  )
}

export function ScopeInputs({ value, onChange, disabled = false }: { value: Scope; onChange: (scope: Scope) => void; disabled?: boolean }) {
  const { t } = useTranslation('runtime')
  const list = (part: (typeof PARTS)[number]) => (part === 'labels' ? Object.entries(value.labels ?? {}).map(([key, text]) => `${key}=${text}`) : (value[part] ?? []))
  const set = (part: (typeof PARTS)[number], words: string[]) => {
    const clean = words.map((word) => word.trim()).filter(Boolean)
    if (part !== 'labels') return onChange({ ...value, [part]: clean })
    onChange({ ...value, labels: Object.fromEntries(clean.map((word) => [word.split('=')[0] ?? '', word.split('=').slice(1).join('=')])) })
  }
  return (
    <Form layout="vertical" component="div" className="compact-form">
      <p className="quiet" style={{ marginTop: 0 }}>{t('scope.about')}</p>
      <div className="side-by-side">
      {PARTS.map((part) => (
        <Form.Item key={part} label={t(`scope.${part}`)} style={{ marginBottom: 10 }}>
          <Select mode="tags" open={false} suffixIcon={null} value={list(part)} onChange={(words: string[]) => set(part, words)} placeholder={t(`scope.${part}Hint`)} disabled={disabled} aria-label={t(`scope.${part}`)} tokenSeparators={[',', ' ']} />
        </Form.Item>
      ))}
      </div>
    </Form>
  )
}
