import { CheckOutlined, CopyOutlined } from '@ant-design/icons'
import { Button, Tooltip } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

/** A text in full that can be taken along; `short` is what is shown of it. */
export function Copyable({ text, short, block = false }: { text: string; short?: string; block?: boolean }) {
  const { t } = useTranslation()
  const [copied, setCopied] = useState(false)
  const copy = async () => {
    await navigator.clipboard.writeText(text)
    setCopied(true)
    window.setTimeout(() => setCopied(false), 1500)
  }
  const button = (
    <Tooltip title={copied ? t('copied') : t('copy')}>
      <Button
        type="text"
        size="small"
        aria-label={t('copy')}
        icon={copied ? <CheckOutlined /> : <CopyOutlined />}
        onClick={(event) => {
          event.stopPropagation()
          void copy()
        }}
      />
    </Tooltip>
  )
  if (block)
    return (
      <div className="code-block">
        <pre>{text}</pre>
        {button}
      </div>
    )
  return (
    <span className="copyable">
      <code title={text}>{short ?? text}</code>
      {button}
    </span>
  )
}
