import { SafetyCertificateOutlined } from '@ant-design/icons'
import { later } from '../later'
import type { Room } from '..'

export const baseline: Room = {
  id: 'baseline',
  grouped: true,
  pages: [
    {
      path: '/baseline',
      element: later(() => import('./BaselinePage'), 'BaselinePage'),
      children: [
        {
          path: ':benchmark',
          children: [
            { path: 'checks/:id', element: later(() => import('./CheckDrawer'), 'CheckDrawer') },
            { path: 'assets/:id', element: later(() => import('./AssetDrawer'), 'AssetDrawer') },
          ],
        },
      ],
      menu: 'baseline',
      icon: <SafetyCertificateOutlined />,
    },
  ],
}
