/** Details beside the list that they belong to, with an address of their own. Esc and the list's own address close it. */
import { Drawer as AntDrawer, Skeleton, Tabs } from 'antd'
import type { ReactNode } from 'react'
import { useNavigate, useSearchParams } from 'react-router'
import { Failure } from './Failure'

export interface DrawerTab {
  key: string
  label: ReactNode
  children: ReactNode
}

export function Drawer({
  list,
  title,
  extra,
  query,
  children,
  tabs,
}: {
  /** Address of the list behind it. */
  list: string
  title: ReactNode
  extra?: ReactNode
  /** State of the detail's query; loading and failure are shown in place. */
  query?: { isLoading: boolean; error: unknown; refetch: () => unknown }
  /** Above the tabs, or all of it. */
  children?: ReactNode
  tabs?: DrawerTab[]
}) {
  const navigate = useNavigate()
  const [words, setWords] = useSearchParams()
  const close = () => {
    const kept = new URLSearchParams(words)
    kept.delete('tab')
    navigate({ pathname: list, search: kept.toString() })
  }
  const ready = !query || (!query.isLoading && !query.error)
  return (
    <AntDrawer open onClose={close} size={760} mask={false} title={title} extra={extra} className="detail" destroyOnHidden>
      {query?.isLoading && <Skeleton active paragraph={{ rows: 8 }} />}
      {query?.error ? <Failure error={query.error} retry={() => void query.refetch()} /> : null}
      {ready && children}
      {ready && tabs && (
        <Tabs
          items={tabs}
          activeKey={words.get('tab') ?? tabs[0]?.key ?? ''}
          onChange={(key) =>
            setWords(
              (before) => {
                before.set('tab', key)
                return before
              },
              { replace: true },
            )
          }
        />
      )}
    </AntDrawer>
  )
}
