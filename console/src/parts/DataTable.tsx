/**
 * The one table of all lists. Filter, sort and range are in the address, so that a view can be sent to somebody; pages
 * are keyset pages of the server. Keys: `/` search, j and k move, Enter opens, Esc closes what is open.
 */
import { Button, Table, Tabs, type TableProps } from 'antd'
import { LeftOutlined, RightOutlined } from '@ant-design/icons'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useEffect, useMemo, useState, type Key, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate, useParams, useSearchParams } from 'react-router'
import { get, query as asQuery, type Page } from '@/api/client'
import { kept } from '@/shell/preferences'
import { number } from '@/shell/i18n'
import { Failure } from './Failure'
import { Toolbar } from './Toolbar'

export interface Column<T> {
  key: string
  title: string
  render: (row: T) => ReactNode
  /** Name of the sort in the API, when it can be sorted by. */
  sort?: string
  width?: number
  /** Not shown until somebody chooses it. */
  hidden?: boolean
  align?: 'left' | 'right' | 'center'
}

export interface Filter {
  /** Name of the field in the API. */
  key: string
  label: string
  /** Values to choose from. Without them nobody types it: links bring it, and a tag shows it and takes it away. */
  options?: { value: string; label: ReactNode }[]
  /** Shown as tabs above the table, one value at a time, with this word for all. */
  tabs?: string
}

export interface Bulk {
  key: string
  label: string
  danger?: boolean
  run: (ids: string[]) => Promise<unknown>
}

export interface DataTableProps<T> {
  /** First word of the query's key, and of what is remembered for this table. */
  name: string
  /** Under which its columns and views are remembered, where one query serves several tables. */
  remember?: string
  /** Path of the list in the API. */
  path: string
  columns: Column<T>[]
  idOf: (row: T) => string
  /** Where a row opens. */
  linkOf?: (row: T) => string
  filters?: Filter[]
  /** Sort when none is asked for, as the API names it. */
  sort: string
  /** Whether the list can be searched by text. */
  search?: boolean
  /** Whether it has a range of time. */
  range?: boolean
  bulk?: Bulk[]
  empty: ReactNode
  rowClass?: (row: T) => string
  /** Filters that always hold and are not shown. */
  fixed?: Record<string, string>
  /** Whether its state is the page's address (a list in a drawer keeps its own). */
  inAddress?: boolean
  /** Ask again after so many ms: for lists of which the live stream says nothing. */
  every?: number
}

const LIMIT = 50
/** What in a row has a meaning of its own when it is clicked. */
const OWN_CLICK = 'a, button, input, label, .ant-popover, .ant-modal'

/** The words of the address that belong to the list; others (`tab`) belong to the drawer. */
function useWords(inAddress: boolean): [URLSearchParams, (change: Record<string, string>) => void] {
  const [address, setAddress] = useSearchParams()
  const [own, setOwn] = useState(() => new URLSearchParams())
  const words = inAddress ? address : own
  const change = (changes: Record<string, string>) => {
    const apply = (before: URLSearchParams) => {
      const after = new URLSearchParams(before)
      for (const [key, value] of Object.entries(changes)) {
        if (value) after.set(key, value)
        else after.delete(key)
      }
      return after
    }
    if (inAddress) setAddress(apply, { replace: true })
    else setOwn(apply)
  }
  return [words, change]
}

export function DataTable<T extends object>(props: DataTableProps<T>) {
  const { name, path, columns, idOf, linkOf, filters = [], bulk = [], inAddress = true, remember = name } = props
  const { t } = useTranslation()
  const navigate = useNavigate()
  const { id: open } = useParams()
  const [words, change] = useWords(inAddress)
  const [cursors, setCursors] = useState<string[]>([])
  const [chosen, setChosen] = useState<Key[]>([])
  const [at, setAt] = useState(-1)
  const [hidden, setHidden] = useState<string[]>(() =>
    kept(`columns.${remember}`, columns.filter((column) => column.hidden).map((column) => column.key)),
  )

  const asked = useMemo(() => {
    const names = ['q', 'sort', 'since', 'until', ...filters.map((filter) => filter.key)]
    const found = Object.fromEntries(names.map((key) => [key, words.get(key) ?? '']))
    return { ...found, sort: found['sort'] || props.sort, ...props.fixed }
  }, [words, filters, props.fixed, props.sort])
  const askedText = asQuery(asked)
  useEffect(() => {
    setCursors([])
    setChosen([])
    setAt(-1)
  }, [askedText])

  const cursor = cursors[cursors.length - 1] ?? ''
  const list = useQuery({
    queryKey: [name, path, asked, cursor],
    queryFn: ({ signal }) => get<Page<T>>(`${path}${asQuery({ limit: LIMIT, ...asked, cursor })}`, signal),
    placeholderData: keepPreviousData,
    refetchInterval: props.every,
  })
  const rows = list.data?.items ?? []
  const show = (row: T) => linkOf && navigate({ pathname: linkOf(row), search: inAddress ? words.toString() : '' })

  useKeys(inAddress, {
    j: () => setAt((place) => Math.min(place + 1, rows.length - 1)),
    k: () => setAt((place) => Math.max(place - 1, 0)),
    Enter: () => rows[at] && show(rows[at]),
  })

  const [sortName, descending] = useSort(words.get('sort') || props.sort)
  const shown = columns
    .filter((column) => !hidden.includes(column.key))
    .map((column) => ({
      key: column.key,
      title: column.title,
      width: column.width,
      align: column.align,
      ellipsis: true,
      sorter: Boolean(column.sort),
      sortDirections: ['descend', 'ascend', 'descend'] as ('ascend' | 'descend')[],
      showSorterTooltip: false,
      sortOrder: column.sort === sortName ? (descending ? ('descend' as const) : ('ascend' as const)) : null,
      render: (_: unknown, row: T) => column.render(row),
    }))
  const onChange: TableProps<T>['onChange'] = (_page, _filters, sorter) => {
    const one = Array.isArray(sorter) ? sorter[0] : sorter
    const column = columns.find((column) => column.key === one?.columnKey)
    if (column?.sort) change({ sort: (one?.order === 'ascend' ? '' : '-') + column.sort })
  }
  const tabs = filters.find((filter) => filter.tabs)
  const filtered = Object.entries(asked).some(([key, value]) => key !== 'sort' && key !== tabs?.key && value && !(props.fixed && key in props.fixed))

  return (
    <div className="data-table">
      {tabs && (
        <Tabs
          className="table-tabs"
          activeKey={words.get(tabs.key) ?? ''}
          onChange={(value) => change({ [tabs.key]: value })}
          items={[...(tabs.options ?? []).map(({ value, label }) => ({ key: value, label })), { key: '', label: tabs.tabs }]}
        />
      )}
      <Toolbar
        name={remember}
        path={path}
        words={words}
        change={change}
        asked={asked}
        filters={filters.filter((filter) => filter !== tabs)}
        search={props.search !== false}
        range={props.range ?? false}
        columns={columns}
        hidden={hidden}
        setHidden={setHidden}
        bulk={bulk}
        chosen={chosen.map(String)}
        clearChosen={() => setChosen([])}
      />
      {list.error && !list.data ? (
        <Failure error={list.error} retry={() => void list.refetch()} />
      ) : (
        <Table<T>
          size="small"
          rowKey={idOf}
          columns={shown}
          dataSource={rows}
          loading={list.isLoading ? { spinning: true } : false}
          pagination={false}
          onChange={onChange}
          tableLayout="fixed"
          scroll={{ x: Math.max(640, shown.reduce((sum, column) => sum + (column.width ?? 160), 0)) }}
          rowSelection={bulk.length > 0 ? { selectedRowKeys: chosen, onChange: setChosen, columnWidth: 36 } : undefined}
          rowClassName={(row, place) =>
            [linkOf ? 'opens' : '', place === at ? 'at' : '', idOf(row) === open ? 'open' : '', props.rowClass?.(row) ?? ''].join(' ')
          }
          onRow={(row) => ({ onClick: (event) => !(event.target as HTMLElement).closest(OWN_CLICK) && show(row) })}
          locale={{ emptyText: list.isLoading ? <div className="loading-rows" /> : filtered ? <NoMatch clear={() => change(cleared(asked, props.fixed))} /> : props.empty }}
        />
      )}
      <footer className="table-foot">
        {list.error && list.data ? <Failure error={list.error} retry={() => void list.refetch()} /> : null}
        <span className="quiet">{list.data && list.data.total >= 0 ? t('rows', { count: list.data.total, shown: number(list.data.total) }) : ''}</span>
        {(cursors.length > 0 || list.data?.next) && (
          <span className="pages">
            <Button size="small" icon={<LeftOutlined />} disabled={cursors.length === 0} onClick={() => setCursors(cursors.slice(0, -1))}>
              {t('previous')}
            </Button>
            <Button
              size="small"
              icon={<RightOutlined />}
              iconPlacement="end"
              disabled={!list.data?.next}
              onClick={() => list.data?.next && setCursors([...cursors, list.data.next])}
            >
              {t('next')}
            </Button>
          </span>
        )}
      </footer>
    </div>
  )
}

function cleared(asked: Record<string, string>, fixed?: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.keys(asked).filter((key) => key !== 'sort' && !(fixed && key in fixed)).map((key) => [key, '']))
}

function NoMatch({ clear }: { clear: () => void }) {
  const { t } = useTranslation()
  return (
    <div className="empty">
      <strong>{t('noMatch')}</strong>
      <Button size="small" onClick={clear}>
        {t('clearFilters')}
      </Button>
    </div>
  )
}

const useSort = (text: string): [string, boolean] => useMemo(() => [text.replace(/^-/, ''), text.startsWith('-')], [text])

/** Keys that work while nobody types in a field. */
function useKeys(on: boolean, keys: Record<string, () => void>): void {
  useEffect(() => {
    if (!on) return
    const press = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement
      const typing = target.closest('input, textarea, select, button, a, [contenteditable], .ant-modal')
      if (typing || event.ctrlKey || event.metaKey || event.altKey) return
      const action = keys[event.key]
      if (action) {
        event.preventDefault()
        action()
      }
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  })
}
