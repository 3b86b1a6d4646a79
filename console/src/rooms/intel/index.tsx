import { AimOutlined, DatabaseOutlined } from '@ant-design/icons'
import { later } from '../later'
import type { Room } from '..'

export const intel: Room = {
  id: 'intel',
  grouped: false,
  pages: [
    { path: '/intel', element: later(() => import('./IntelPage'), 'IntelPage'), menu: 'menu', icon: <DatabaseOutlined /> },
    { path: '/indicators', element: later(() => import('./IndicatorsPage'), 'IndicatorsPage'), menu: 'indicators', icon: <AimOutlined /> },
  ],
}
