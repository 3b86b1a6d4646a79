import { ApiOutlined, CodeOutlined, ContainerOutlined, HddOutlined } from '@ant-design/icons'
import { later } from '../later'
import type { Room } from '..'

export const assets: Room = {
  id: 'assets',
  grouped: true,
  pages: [
    {
      path: '/containers',
      element: later(() => import('./ContainersPage'), 'ContainersPage'),
      children: [{ path: ':id', element: later(() => import('./ContainerDrawer'), 'ContainerDrawer') }],
      menu: 'containers',
      icon: <ContainerOutlined />,
    },
    {
      path: '/hosts',
      element: later(() => import('./HostsPage'), 'HostsPage'),
      children: [{ path: ':id', element: later(() => import('./HostDrawer'), 'HostDrawer') }],
      menu: 'hosts',
      icon: <HddOutlined />,
    },
    {
      path: '/processes',
      element: later(() => import('./ProcessesPage'), 'ProcessesPage'),
      children: [{ path: ':id', element: later(() => import('./ProcessDrawer'), 'ProcessDrawer') }],
      menu: 'processes',
      icon: <CodeOutlined />,
    },
    {
      path: '/ports',
      element: later(() => import('./PortsPage'), 'PortsPage'),
      children: [{ path: ':id', element: later(() => import('./PortsPage'), 'PortDrawer') }],
      menu: 'ports',
      icon: <ApiOutlined />,
    },
  ],
}
