/** Above a table: search, filters, range, saved views, columns, export, and what can be done with the chosen rows. */
import { DownloadOutlined, SearchOutlined, SettingOutlined, StarOutlined } from '@ant-design/icons'
import { App, Button, Checkbox, Dropdown, Input, Popover, Select, Space, Tag, type InputRef } from 'antd'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { query as asQuery } from '@/api/client'
import { useMay } from '@/api/session'
import { keep, kept } from '@/shell/preferences'
import type { Bulk, Column, Filter } from './DataTable'
import { useExplain } from './Failure'

interface Props {
  name: string
  path: string
  words: URLSearchParams
  change: (changes: Record<string, string>) => void
  asked: Record<string, string>
  filters: Filter[]
  search: boolean
  range: boolean
  columns: Column<never>[]
  hidden: string[]
  setHidden: (keys: string[]) => void
  bulk: Bulk[]
  chosen: string[]
  clearChosen: () => void
}

const RANGES: Record<string, number> = { '1h': 3600, '24h': 86_400, '7d': 604_800, '30d': 2_592_000 }

export function Toolbar(props: Props) {
  const { t } = useTranslation()
  const { words, change } = props
  return (
    <div className="toolbar">
      <div className="toolbar-filters">
        {props.search && <Search words={words} change={change} />}
        {props.filters.map((filter) =>
          filter.options ? (
            <Select
              key={filter.key}
              mode="multiple"
              allowClear
              maxTagCount="responsive"
              placeholder={filter.label}
              aria-label={filter.label}
              data-filter={filter.key}
              value={(words.get(filter.key) ?? '').split(',').filter(Boolean)}
              options={filter.options}
              onChange={(values: string[]) => change({ [filter.key]: values.join(',') })}
              style={{ minWidth: 132 }}
              popupMatchSelectWidth={false}
            />
          ) : (
            words.get(filter.key) && (
              <Tag key={filter.key} closable className="toolbar-tag" title={words.get(filter.key) ?? ''} onClose={() => change({ [filter.key]: '' })}>
                {filter.label}: {words.get(filter.key)}
              </Tag>
            )
          ),
        )}
        {props.range && <Range words={words} change={change} />}
      </div>
      <Space size={4}>
        {props.chosen.length > 0 && <Chosen {...props} />}
        <Views name={props.name} words={words} change={change} asked={props.asked} />
        <Columns {...props} />
        <Dropdown
          trigger={['click']}
          menu={{
            items: ['csv', 'jsonl'].map((format) => ({
              key: format,
              label: (
                <a href={`/api/v1${props.path}${asQuery({ ...props.asked, format })}`} download>
                  {t(`export.${format}`)}
                </a>
              ),
            })),
          }}
        >
          <Button type="text" icon={<DownloadOutlined />} title={t('export.title')} aria-label={t('export.title')} />
        </Dropdown>
      </Space>
    </div>
  )
}

function Search({ words, change }: Pick<Props, 'words' | 'change'>) {
  const { t } = useTranslation()
  const field = useRef<InputRef>(null)
  const [text, setText] = useState(words.get('q') ?? '')
  const asked = words.get('q') ?? ''
  useEffect(() => setText(asked), [asked])
  useEffect(() => {
    if (text === asked) return
    const timer = window.setTimeout(() => change({ q: text.trim() }), 300)
    return () => window.clearTimeout(timer)
    // `change` is made anew by each render and always does the same
    // eslint-disable-next-line
  }, [text, asked])
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const typing = (event.target as HTMLElement).closest('input, textarea, [contenteditable]')
      if (event.key === '/' && !typing) {
        event.preventDefault()
        field.current?.focus({ cursor: 'all' })
      }
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [])
  return (
    <Input
      ref={field}
      allowClear
      prefix={<SearchOutlined />}
      suffix={text ? null : <kbd>/</kbd>}
      placeholder={t('search')}
      aria-label={t('search')}
      value={text}
      onChange={(event) => setText(event.target.value)}
      onKeyDown={(event) => event.key === 'Escape' && field.current?.blur()}
      style={{ width: 240 }}
    />
  )
}

/** The range is kept as its beginning; a name shows while it is one of the usual ones, to the minute. */
function Range({ words, change }: Pick<Props, 'words' | 'change'>) {
  const { t } = useTranslation()
  const since = words.get('since')
  const age = since ? (Date.now() - Date.parse(since)) / 1000 : 0
  const name = since ? (Object.entries(RANGES).find(([, seconds]) => Math.abs(seconds - age) < 120)?.[0] ?? 'own') : 'all'
  return (
    <Select
      value={name}
      aria-label={t('range.title')}
      style={{ minWidth: 130 }}
      popupMatchSelectWidth={false}
      options={['all', ...Object.keys(RANGES), ...(name === 'own' ? ['own'] : [])].map((key) => ({ value: key, label: t(`range.${key}`) }))}
      onChange={(key: string) =>
        change({ since: key in RANGES ? new Date(Date.now() - RANGES[key]! * 1000).toISOString() : '', until: '' })
      }
    />
  )
}

function Chosen({ bulk, chosen, clearChosen }: Props) {
  const { t } = useTranslation()
  const { modal, message } = App.useApp()
  const explain = useExplain()
  const may = useMay('operator')
  const run = async (one: Bulk) => {
    try {
      await one.run(chosen)
      message.success(t('doneFor', { what: one.label, count: chosen.length }))
      clearChosen()
    } catch (error) {
      const { title, hint } = explain(error)
      message.error(hint ? `${title}: ${hint}` : title)
    }
  }
  if (!may) return null
  return (
    <>
      <span className="quiet">{t('chosen', { count: chosen.length })}</span>
      {bulk.map((one) => (
        <Button
          key={one.key}
          size="small"
          danger={one.danger ?? false}
          onClick={() =>
            one.danger
              ? modal.confirm({ title: t('askFor', { what: one.label, count: chosen.length }), okText: one.label, okButtonProps: { danger: true }, onOk: () => run(one) })
              : void run(one)
          }
        >
          {one.label}
        </Button>
      ))}
    </>
  )
}

interface View {
  name: string
  search: string
}

function Views({ name, words, change, asked }: Pick<Props, 'name' | 'words' | 'change' | 'asked'>) {
  const { t } = useTranslation()
  const key = `views.${name}`
  const [views, setViews] = useState<View[]>(() => kept<View[]>(key, []))
  const [title, setTitle] = useState('')
  const store = (next: View[]) => {
    setViews(next)
    keep(key, next)
  }
  const show = (view: View) => {
    const wanted = new URLSearchParams(view.search)
    change(Object.fromEntries(Object.keys(asked).map((word) => [word, wanted.get(word) ?? ''])))
  }
  const save = () => {
    if (!title.trim()) return
    store([...views.filter((view) => view.name !== title.trim()), { name: title.trim(), search: words.toString() }])
    setTitle('')
  }
  return (
    <Popover
      trigger="click"
      placement="bottomRight"
      title={t('views.title')}
      content={
        <div className="views">
          {views.length === 0 && <p className="quiet">{t('views.none')}</p>}
          {views.map((view) => (
            <div key={view.name}>
              <Button type="link" size="small" onClick={() => show(view)}>
                {view.name}
              </Button>
              <Button type="text" size="small" aria-label={t('views.forget', { name: view.name })} onClick={() => store(views.filter((one) => one !== view))}>
                ×
              </Button>
            </div>
          ))}
          <Space.Compact>
            <Input size="small" placeholder={t('views.name')} value={title} onChange={(event) => setTitle(event.target.value)} onPressEnter={save} />
            <Button size="small" onClick={save}>
              {t('views.save')}
            </Button>
          </Space.Compact>
        </div>
      }
    >
      <Button type="text" icon={<StarOutlined />} title={t('views.title')} aria-label={t('views.title')} />
    </Popover>
  )
}

function Columns({ name, columns, hidden, setHidden }: Props) {
  const { t } = useTranslation()
  const choose = (shown: string[]) => {
    const next = columns.map((column) => column.key).filter((key) => !shown.includes(key))
    setHidden(next)
    keep(`columns.${name}`, next)
  }
  return (
    <Popover
      trigger="click"
      placement="bottomRight"
      title={t('columns')}
      content={
        <Checkbox.Group
          className="columns"
          value={columns.map((column) => column.key).filter((key) => !hidden.includes(key))}
          options={columns.map((column) => ({ value: column.key, label: column.title }))}
          onChange={(shown) => choose(shown as string[])}
        />
      }
    >
      <Button type="text" icon={<SettingOutlined />} title={t('columns')} aria-label={t('columns')} />
    </Popover>
  )
}
