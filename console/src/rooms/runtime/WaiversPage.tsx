import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { Outlet } from 'react-router'
import { DataTable, type Column, type Filter } from '@/parts/DataTable'
import { Empty } from '@/parts/Empty'
import { EntityLink, placeOf } from '@/parts/EntityLink'
import { Page } from '@/parts/Page'
import { Time } from '@/parts/Time'
import { number, say } from '@/shell/i18n'
import type { Waiver } from './policy'
import './runtime.css'

/** What a waiver asks for besides the rule, in one line. */
export const holdsText = (waiver: Waiver) =>
  Object.entries(waiver.fields ?? {})
    .map(([name, value]) => `${name} = ${Array.isArray(value) ? value.join(', ') : value}`)
    .join(' · ') || waiver.condition

export function WaiversPage() {
  const { t } = useTranslation('runtime')
  const columns: Column<Waiver>[] = useMemo(
    () => [
      {
        key: 'rules',
        title: t('column.rule'),
        width: 220,
        render: (row) =>
          row.rules.length ? (
            row.rules.map((rule, place) => (
              <span key={rule}>
                {place > 0 && ', '}
                <EntityLink kind="rule" id={rule}>
                  <span title={rule}>{say(row.titles?.[rule]) || rule}</span>
                </EntityLink>
              </span>
            ))
          ) : (
            <span className="medium">{t('waive.allRules')}</span>
          ),
      },
      { key: 'holds', title: t('waive.holds'), width: 260, render: (row) => <code title={holdsText(row)}>{holdsText(row)}</code> },
      { key: 'state', title: t('column.state'), width: 80, render: (row) => <span className={row.state === 'active' ? 'good' : 'quiet'}>{t(`waive.state.${row.state}`)}</span> },
      { key: 'expires', title: t('waive.until'), sort: 'expires_at', width: 110, render: (row) => (row.expires_at ? <Time at={row.expires_at} /> : <span className="medium">{t('waive.never')}</span>) },
      { key: 'silenced', title: t('waive.silenced'), sort: 'silenced', width: 100, align: 'right', render: (row) => number(row.silenced) },
      { key: 'last', title: t('waive.last'), sort: 'last_silenced', width: 126, render: (row) => <Time at={row.last_silenced} /> },
      { key: 'owner', title: t('waive.owner'), sort: 'owner', width: 100, render: (row) => row.owner },
      { key: 'reason', title: t('waive.reason'), width: 190, render: (row) => <span title={row.reason}>{row.reason}</span> },
      { key: 'created', title: t('audit.created'), sort: 'created_at', width: 150, hidden: true, render: (row) => <>{row.created_by} · <Time at={row.created_at} /></> },
    ],
    [t],
  )
  const filters: Filter[] = useMemo(
    () => [
      { key: 'state', label: t('column.state'), options: ['active', 'expired'].map((value) => ({ value, label: t(`waive.state.${value}`) })) },
      { key: 'owner', label: t('waive.owner') },
    ],
    [t],
  )
  return (
    <Page title={t('waivers')} about={t('waiversAbout')}>
      <DataTable<Waiver>
        name="waivers"
        remember="runtimeWaivers"
        path="/waivers"
        columns={columns}
        filters={filters}
        sort="-created_at"
        idOf={(row) => row.id}
        linkOf={(row) => placeOf('waiver', row.id)}
        rowClass={(row) => (row.state === 'expired' ? 'done' : '')}
        empty={<Empty title={t('waive.none')}>{t('waive.noneNext')}</Empty>}
      />
      <Outlet />
    </Page>
  )
}
