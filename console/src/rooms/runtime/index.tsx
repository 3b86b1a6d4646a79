import {
  AlertOutlined,
  AuditOutlined,
  CodeOutlined,
  EyeInvisibleOutlined,
  FileExclamationOutlined,
  FireOutlined,
  FunctionOutlined,
  GlobalOutlined,
  IdcardOutlined,
  LogoutOutlined,
  NodeIndexOutlined,
  SettingOutlined,
  ThunderboltOutlined,
} from '@ant-design/icons'
import type { ReactNode } from 'react'
import { later } from '../later'
import type { PageEntry, Room } from '..'
import { ENGINES } from './data'

const alert = { path: ':id', element: later(() => import('./AlertDrawer'), 'AlertDrawer') }
const rule = later(() => import('./RulesPage'), 'RulesPage')

const ICONS: Record<string, ReactNode> = {
  escape: <LogoutOutlined />,
  reverse_shell: <NodeIndexOutlined />,
  abnormal_process: <CodeOutlined />,
  file_tampering: <FileExclamationOutlined />,
  risky_syscall: <FunctionOutlined />,
  malware: <FireOutlined />,
  network: <GlobalOutlined />,
}

const engines = Object.entries(ENGINES).map(
  ([category, place]): PageEntry => ({
    path: `/runtime/${place}`,
    element: later(() => import('./AlertsPage'), 'EnginePage'),
    children: [alert],
    menu: `category.${category}`,
    search: '?state=new',
    icon: ICONS[category],
    count: ({ alerts }) => alerts.categories[category] ?? 0,
  }),
)

export const runtime: Room = {
  id: 'runtime',
  grouped: true,
  pages: [
    {
      path: '/alerts',
      element: later(() => import('./AlertsPage'), 'AlertsPage'),
      children: [alert],
      menu: 'alerts',
      search: '?state=new',
      icon: <AlertOutlined />,
      count: ({ alerts }) => (alerts.new.critical ?? 0) + (alerts.new.high ?? 0),
    },
    ...engines,
  ],
}

/** What the nodes judge by and what was done: a group of its own in the menu, the same room. */
export const protection: Room = {
  id: 'runtime',
  title: 'protection',
  grouped: true,
  pages: [
    { path: '/rules', element: rule, children: [{ path: ':id', element: later(() => import('./RuleDrawer'), 'RuleDrawer') }], menu: 'rules', icon: <AuditOutlined /> },
    { path: '/rule-groups', element: later(() => import('./GroupsPage'), 'GroupsPage'), within: '/rules' },
    { path: '/user-rules', element: later(() => import('./OwnPage'), 'OwnPage'), children: [{ path: ':id', element: later(() => import('./OwnDrawer'), 'OwnDrawer') }], within: '/rules' },
    { path: '/rule-files', element: later(() => import('./FilesPage'), 'FilesPage'), within: '/rules' },
    { path: '/rule-files/:id', element: later(() => import('./EditorPage'), 'EditorPage'), within: '/rules' },
    {
      path: '/waivers',
      element: later(() => import('./WaiversPage'), 'WaiversPage'),
      children: [{ path: ':id', element: later(() => import('./WaiverDrawer'), 'WaiverDrawer') }],
      menu: 'waivers',
      icon: <EyeInvisibleOutlined />,
    },
    {
      path: '/profiles',
      element: later(() => import('./ProfilesPage'), 'ProfilesPage'),
      children: [{ path: ':id', element: later(() => import('./ProfileDrawer'), 'ProfileDrawer') }],
      menu: 'profiles',
      icon: <IdcardOutlined />,
    },
    {
      path: '/responses',
      element: later(() => import('./ResponsesPage'), 'ResponsesPage'),
      children: [{ path: ':id', element: later(() => import('./ResponseDrawer'), 'ResponseDrawer') }],
      menu: 'responses',
      icon: <ThunderboltOutlined />,
    },
    { path: '/runtime/settings', element: later(() => import('./SettingsPage'), 'SettingsPage'), menu: 'settings', icon: <SettingOutlined /> },
  ],
}
