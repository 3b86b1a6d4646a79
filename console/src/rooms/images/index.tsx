import { AuditOutlined, BlockOutlined, BugOutlined, CloudServerOutlined, KeyOutlined, ScanOutlined } from '@ant-design/icons'
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
    { path: '/secrets', element: later(() => import('./pages'), 'SecretsPage'), menu: 'found.menu', icon: <KeyOutlined /> },
    { path: '/malware', element: later(() => import('./pages'), 'MalwarePage'), within: '/secrets' },
    { path: '/misconfigurations', element: later(() => import('./pages'), 'MisconfigurationsPage'), within: '/secrets' },
    { path: '/registries', element: later(() => import('./RegistriesPage'), 'RegistriesPage'), menu: 'registry.title', icon: <CloudServerOutlined /> },
    {
      path: '/image-scans',
      element: later(() => import('./ScansPage'), 'ScansPage'),
      children: [{ path: ':id', element: later(() => import('./ScansPage'), 'ScanDrawer') }],
      menu: 'many.title',
      icon: <ScanOutlined />,
    },
    { path: '/image-policies', element: later(() => import('./PoliciesPage'), 'PoliciesPage'), menu: 'policy.title', icon: <AuditOutlined /> },
  ],
}
