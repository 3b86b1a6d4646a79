/** Theme, language, queries and the way in: who is not logged in sees the login, everyone else the shell. */
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { App as AntApp, ConfigProvider, Spin } from 'antd'
import enUS from 'antd/locale/en_US'
import zhCN from 'antd/locale/zh_CN'
import { Component, useEffect, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { createBrowserRouter } from 'react-router'
import { RouterProvider } from 'react-router/dom'
import { ApiError } from '@/api/client'
import { LiveProvider } from '@/api/live'
import { useSession } from '@/api/session'
import { Failure } from '@/parts/Failure'
import { ROOMS } from '@/rooms'
import { ChangePassword, Login } from './Login'
import { Lost, Shell } from './Shell'
import { useDark } from './preferences'
import { themed } from './theme'

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      refetchOnWindowFocus: true,
      // What the server has refused it refuses again; a lost connection may come back.
      retry: (count, error) => count < 2 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
    },
  },
})

const router = createBrowserRouter([
  {
    element: <Shell />,
    errorElement: <Broken />,
    children: [
      ...ROOMS.flatMap((room) => room.pages.map((page) => ({ path: page.path, element: page.element, errorElement: <Broken />, children: page.children ?? [] }))),
      { path: '*', element: <Lost /> },
    ],
  },
])

export function Root() {
  const dark = useDark()
  const { i18n } = useTranslation()
  useEffect(() => {
    document.documentElement.dataset['theme'] = dark ? 'dark' : 'light'
  }, [dark])
  return (
    <ConfigProvider theme={themed(dark)} locale={i18n.language === 'zh' ? zhCN : enUS} button={{ autoInsertSpace: false }}>
      <AntApp component={false}>
        <QueryClientProvider client={client}>
          <Boundary>
            <Gate />
          </Boundary>
        </QueryClientProvider>
      </AntApp>
    </ConfigProvider>
  )
}

function Gate() {
  const session = useSession()
  if (session.isLoading) return <Spin fullscreen />
  if (session.error)
    return (
      <div className="alone">
        <Failure error={session.error} retry={() => void session.refetch()} />
      </div>
    )
  if (!session.data) return <Login />
  if (session.data.must_change_password) return <ChangePassword />
  return (
    <LiveProvider>
      <RouterProvider router={router} />
    </LiveProvider>
  )
}

function Broken() {
  const { t } = useTranslation()
  return (
    <div className="alone">
      <Failure error={new ApiError(500, t('broken'), t('brokenHint'))} retry={() => window.location.reload()} />
    </div>
  )
}

/** A page that breaks says so instead of leaving a white screen. */
class Boundary extends Component<{ children: ReactNode }, { broken: boolean }> {
  override state = { broken: false }
  static getDerivedStateFromError() {
    return { broken: true }
  }
  override render() {
    return this.state.broken ? <Broken /> : this.props.children
  }
}
