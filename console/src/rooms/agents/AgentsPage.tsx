import { PlusOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Outlet } from 'react-router'
import { useMay } from '@/api/session'
import { DataTable, type Column, type Filter } from '@/parts/DataTable'
import { Empty } from '@/parts/Empty'
import { placeOf } from '@/parts/EntityLink'
import { Page } from '@/parts/Page'
import { Time } from '@/parts/Time'
import { bytes, number, percent } from '@/shell/i18n'
import { MAX_CPU, MAX_RSS, type Agent } from './data'
import { Install } from './Install'
import { ProtectionLevel } from './Protection'
import { AgentState, SensorState } from './State'

export function AgentsPage() {
  const { t } = useTranslation('agents')
  const [installing, setInstalling] = useState(false)
  const admin = useMay('admin')
  const columns: Column<Agent>[] = useMemo(
    () => [
      { key: 'name', title: t('column.name'), sort: 'name', width: 180, render: (row) => row.name },
      { key: 'state', title: t('column.state'), sort: 'state', width: 100, render: (row) => <AgentState agent={row} /> },
      { key: 'sensor', title: t('column.sensor'), width: 120, render: (row) => <SensorState agent={row} /> },
      { key: 'protection', title: t('column.protection'), width: 150, render: (row) => <ProtectionLevel agent={row} /> },
      { key: 'degrade', title: t('column.degrade'), sort: 'degrade', width: 150, render: (row) => <span className={row.degrade ? 'medium' : 'quiet'} title={row.degrade_reason}>{t(`degrade.${row.degrade}`)}</span> },
      { key: 'cpu', title: t('column.cpu'), sort: 'cpu', width: 100, align: 'right', render: (row) => <span className={(row.cpu ?? 0) > MAX_CPU ? 'high' : ''}>{percent(row.cpu, 1)}</span> },
      { key: 'rss', title: t('column.rss'), sort: 'rss', width: 100, align: 'right', render: (row) => <span className={(row.rss ?? 0) > MAX_RSS ? 'high' : ''}>{bytes(row.rss)}</span> },
      { key: 'dropped', title: t('column.dropped'), sort: 'dropped', width: 110, align: 'right', render: (row) => <span className={row.dropped ? 'high' : 'quiet'}>{number(row.dropped)}</span> },
      { key: 'version', title: t('column.version'), sort: 'version', width: 100, render: (row) => row.version },
      { key: 'address', title: t('column.address'), width: 130, render: (row) => <code>{row.address}</code> },
      { key: 'enrolled', title: t('column.enrolled'), sort: 'enrolled_at', width: 120, hidden: true, render: (row) => <Time at={row.enrolled_at} /> },
      { key: 'last_seen', title: t('column.lastSeen'), sort: 'last_seen', width: 120, render: (row) => <Time at={row.last_seen} /> },
    ],
    [t],
  )
  const filters: Filter[] = useMemo(
    () => [
      { key: 'state', label: t('column.state'), options: ['online', 'late', 'offline'].map((value) => ({ value, label: t(`state.${value}`) })) },
      { key: 'sensor_state', label: t('column.sensor'), options: ['on', 'degraded', 'off'].map((value) => ({ value, label: t(`sensor.${value}`) })) },
    ],
    [t],
  )
  const install = admin && (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => setInstalling(true)}>
      {t('install.open')}
    </Button>
  )
  return (
    <Page title={t('agents')} about={t('about')} actions={install}>
      <DataTable<Agent>
        name="agents"
        path="/agents"
        columns={columns}
        filters={filters}
        sort="-last_seen"
        idOf={(row) => row.id}
        linkOf={(row) => placeOf('agent', row.id)}
        empty={<Empty title={t('none')}>{install || t('noneNext')}</Empty>}
      />
      {installing && <Install close={() => setInstalling(false)} />}
      <Outlet />
    </Page>
  )
}
