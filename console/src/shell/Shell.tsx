/** What is around every page: the rooms at the left, where the data stands and who is here at the top. */
import { LogoutOutlined, MenuFoldOutlined, MenuUnfoldOutlined, SearchOutlined, UserOutlined } from '@ant-design/icons'
import { AutoComplete, Button, Dropdown, Input, Layout, Menu, Spin, Tooltip, type MenuProps } from 'antd'
import { useQuery } from '@tanstack/react-query'
import { Suspense, useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, Outlet, useLocation, useNavigate } from 'react-router'
import { get, type Page as ListPage } from '@/api/client'
import { useLive } from '@/api/live'
import { useLogout, useUser } from '@/api/session'
import { placeOf, type EntityKind } from '@/parts/EntityLink'
import { Page } from '@/parts/Page'
import { ROOMS } from '@/rooms'
import { useOverview } from '@/rooms/overview/data'
import { keep, kept } from './preferences'
import { LanguageSwitch, ThemeSwitch } from './Switches'
import { Wordmark } from './Wordmark'

export function Shell() {
  const { t } = useTranslation()
  const [narrow, setNarrow] = useState(() => kept('narrow', false))
  const fold = () => {
    keep('narrow', !narrow)
    setNarrow(!narrow)
  }
  return (
    <Layout className="shell">
      <Layout.Sider theme="dark" width={220} collapsedWidth={56} collapsed={narrow} className="rail">
        <Link to="/" className="rail-head" aria-label="Seawall">
          <Wordmark />
        </Link>
        <Rooms />
        <Button
          type="text"
          className="fold"
          icon={narrow ? <MenuUnfoldOutlined /> : <MenuFoldOutlined />}
          aria-label={narrow ? t('unfold') : t('fold')}
          onClick={fold}
        />
      </Layout.Sider>
      <Layout>
        <Layout.Header className="top">
          <Jump />
          <div className="top-right">
            <LiveState />
            <LanguageSwitch />
            <ThemeSwitch />
            <UserMenu />
          </div>
        </Layout.Header>
        <Layout.Content>
          <Suspense fallback={<Spin className="page-wait" />}>
            <Outlet />
          </Suspense>
        </Layout.Content>
      </Layout>
    </Layout>
  )
}

function Rooms() {
  const { t } = useTranslation()
  const { pathname } = useLocation()
  const { data } = useOverview()
  const items: MenuProps['items'] = ROOMS.map((room) => {
    const entries = room.pages
      .filter((page) => page.menu)
      .map((page) => {
        const count = data && page.count ? page.count(data) : 0
        return {
          key: page.path,
          icon: page.icon,
          label: (
            <Link to={page.path + (page.search ?? '')}>
              {t(`${room.id}:${page.menu}`)}
              {count > 0 && <span className="menu-count">{count > 999 ? '999+' : count}</span>}
            </Link>
          ),
        }
      })
    return room.grouped ? { key: `${room.id}.${room.title ?? 'room'}`, type: 'group' as const, label: t(`${room.id}:${room.title ?? 'room'}`), children: entries } : entries
  }).flat()
  const here = ROOMS.flatMap((room) => room.pages)
    .filter(({ path }) => pathname === path || (path !== '/' && pathname.startsWith(`${path}/`)))
    .sort((a, b) => b.path.length - a.path.length)[0]
  return <Menu theme="dark" mode="inline" items={items} selectedKeys={[here?.within ?? here?.path ?? '']} className="rooms" />
}

/** Whether what is on the screen is live: green while the server is heard, with its age when it is not. */
function LiveState() {
  const { t } = useTranslation()
  const { connected, heardAt } = useLive()
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), 5000)
    return () => window.clearInterval(timer)
  }, [])
  const age = heardAt ? Math.max(0, Math.round((now - heardAt) / 1000)) : 0
  const state = connected && age < 40 ? 'live' : connected ? 'stale' : 'lost'
  return (
    <Tooltip title={t(`live.${state}About`, { count: age })}>
      <span className={`live ${state}`} role="status" data-test="live">
        <i /> {t(`live.${state}`)}
      </span>
    </Tooltip>
  )
}

function UserMenu() {
  const { t } = useTranslation()
  const user = useUser()
  const logout = useLogout()
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        items: [
          { key: 'who', disabled: true, label: `${user.name} · ${t(`role.${user.role}`)}` },
          { key: 'out', icon: <LogoutOutlined />, label: t('logout'), onClick: () => void logout() },
        ],
      }}
    >
      <Button type="text" icon={<UserOutlined />} data-test="user">
        {user.name}
      </Button>
    </Dropdown>
  )
}

interface Named {
  id: string
  name?: string
  title?: string
}

const SOUGHT: [EntityKind, string][] = [
  ['container', '/containers'],
  ['image', '/images'],
  ['host', '/hosts'],
  ['vulnerability', '/vulnerabilities'],
  ['alert', '/alerts'],
]

/** One field to jump to anything by name. */
function Jump() {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const [text, setText] = useState('')
  const wanted = text.trim()
  const found = useQuery({
    queryKey: ['jump', wanted],
    enabled: wanted.length >= 2,
    queryFn: async ({ signal }) =>
      Promise.all(
        SOUGHT.map(async ([kind, path]) => {
          const page = await get<ListPage<Named>>(`${path}?limit=5&q=${encodeURIComponent(wanted)}`, signal).catch(() => null)
          return { kind, items: page?.items ?? [] }
        }),
      ),
  })
  const options = (found.data ?? [])
    .filter(({ items }) => items.length > 0)
    .map(({ kind, items }) => ({
      label: t(`kind.${kind}`),
      options: items.map((item) => ({ value: placeOf(kind, item.id), label: item.title || item.name || item.id.slice(0, 19) })),
    }))
  return (
    <AutoComplete
      className="jump"
      value={text}
      options={options}
      onChange={(value) => setText(value.startsWith('/') ? '' : value)}
      onSelect={(place) => {
        setText('')
        navigate(place)
      }}
      notFoundContent={wanted.length >= 2 && !found.isFetching ? t('jumpNone') : null}
      popupMatchSelectWidth={360}
    >
      <Input prefix={<SearchOutlined />} placeholder={t('jump')} aria-label={t('jump')} variant="filled" />
    </AutoComplete>
  )
}

export function Lost() {
  const { t } = useTranslation()
  const { pathname } = useLocation()
  return (
    <Page title={t('lost')}>
      <p>
        {t('lostAbout', { path: pathname })} <Link to="/">{t('lostHome')}</Link>
      </p>
    </Page>
  )
}
