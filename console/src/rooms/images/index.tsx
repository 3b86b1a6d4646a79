import { BugOutlined, BlockOutlined } from '@ant-design/icons'
import { later } from '../later'
import type { Room } from '..'

export const images: Room = {
  id: 'images',
  grouped: true,
  pages: [
    {
      path: '/images',
      element: later(() => import('./ImagesPage'), 'ImagesPage'),
      children: [{ path: ':id', element: later(() => import('./ImageDrawer'), 'ImageDrawer') }],
      menu: 'images',
      icon: <BlockOutlined />,
    },
    {
      path: '/vulnerabilities',
      element: later(() => import('./VulnerabilitiesPage'), 'VulnerabilitiesPage'),
      children: [{ path: ':id', element: later(() => import('./VulnerabilitiesPage'), 'VulnerabilityDrawer') }],
      menu: 'vulnerabilities',
      icon: <BugOutlined />,
      count: ({ images }) => images?.kev ?? 0,
    },
  ],
}
