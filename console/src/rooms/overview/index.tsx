import { DashboardOutlined } from '@ant-design/icons'
import type { Room } from '..'
import { OverviewPage } from './OverviewPage'

export const overview: Room = {
  id: 'overview',
  grouped: false,
  pages: [{ path: '/', element: <OverviewPage />, menu: 'menu', icon: <DashboardOutlined /> }],
}
