import { AlertOutlined, ProfileOutlined } from '@ant-design/icons'
import { later } from '../later'
import type { Room } from '..'

export const runtime: Room = {
  id: 'runtime',
  grouped: true,
  pages: [
    {
      path: '/alerts',
      element: later(() => import('./AlertsPage'), 'AlertsPage'),
      children: [{ path: ':id', element: later(() => import('./AlertDrawer'), 'AlertDrawer') }],
      menu: 'alerts',
      icon: <AlertOutlined />,
      count: ({ alerts }) => (alerts.new.critical ?? 0) + (alerts.new.high ?? 0),
    },
    { path: '/rules', element: later(() => import('./RulesPage'), 'RulesPage'), children: [{ path: ':id', element: later(() => import('./RulesPage'), 'RuleDrawer') }], menu: 'rules', icon: <ProfileOutlined /> },
  ],
}
