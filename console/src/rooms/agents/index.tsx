import { ClusterOutlined } from '@ant-design/icons'
import { later } from '../later'
import type { Room } from '..'

export const agents: Room = {
  id: 'agents',
  grouped: true,
  pages: [
    {
      path: '/agents',
      element: later(() => import('./AgentsPage'), 'AgentsPage'),
      children: [{ path: ':id', element: later(() => import('./AgentDrawer'), 'AgentDrawer') }],
      menu: 'agents',
      icon: <ClusterOutlined />,
      count: ({ agents }) => agents.offline + agents.late + agents.blind,
    },
  ],
}
