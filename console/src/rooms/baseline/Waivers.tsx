import { Button, Popconfirm } from 'antd'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useMay } from '@/api/session'
import { DataTable, type Column } from '@/parts/DataTable'
import { Empty } from '@/parts/Empty'
import { Time } from '@/parts/Time'
import { checkPlace, type Waiver } from './data'
import { useUnwaive } from './Waive'

/** What was accepted, by whom and until when. */
export function Waivers({ benchmark }: { benchmark: string }) {
  const { t } = useTranslation('baseline')
  const may = useMay('operator')
  const undo = useUnwaive()
  const columns: Column<Waiver>[] = useMemo(
    () => [
      { key: 'check', title: t('column.check'), sort: 'check', width: 110, render: (row) => <Link to={checkPlace(benchmark, row.check)}>{row.check}</Link> },
      { key: 'selector', title: t('waive.scope'), width: 190, render: (row) => <Scope waiver={row} /> },
      { key: 'reason', title: t('waive.reason'), width: 280, render: (row) => <span title={row.reason}>{row.reason}</span> },
      { key: 'owner', title: t('waive.owner'), sort: 'owner', width: 120, render: (row) => row.owner },
      { key: 'expires', title: t('waive.until'), sort: 'expires_at', width: 130, render: (row) => <Until waiver={row} /> },
      { key: 'created', title: t('waive.created'), sort: 'created_at', width: 150, render: (row) => <>{row.created_by} · <Time at={row.created_at} /></> },
      ...(may
        ? [
            {
              key: 'action',
              title: '',
              width: 110,
              align: 'right' as const,
              render: (row: Waiver) => (
                <Popconfirm title={t('waive.takeBackAsk')} okText={t('waive.takeBack')} cancelText={t('shell:cancel')} onConfirm={() => undo.mutateAsync(row.id).catch(() => undefined)}>
                  <Button size="small">{t('waive.takeBack')}</Button>
                </Popconfirm>
              ),
            },
          ]
        : []),
    ],
    // `undo` is made anew by each render and always does the same
    // eslint-disable-next-line
    [t, may, benchmark],
  )
  return <DataTable<Waiver> name="waivers" path="/baselines/waivers" columns={columns} sort="-created_at" idOf={(row) => row.id} empty={<Empty title={t('waive.none')}>{t('waive.noneNext')}</Empty>} />
}

function Scope({ waiver }: { waiver: Waiver }) {
  const { t } = useTranslation('baseline')
  const parts = Object.entries(waiver.selector)
  if (parts.length === 0) return <span className="medium">{t('waive.scopeAll')}</span>
  return <code title={parts.map(([key, value]) => `${key} = ${value}`).join(', ')}>{parts.map(([, value]) => value.slice(0, 19)).join(', ')}</code>
}

function Until({ waiver }: { waiver: Waiver }) {
  const { t } = useTranslation('baseline')
  return Date.parse(waiver.expires_at) < Date.now() ? <span className="quiet">{t('waive.ended')} <Time at={waiver.expires_at} /></span> : <Time at={waiver.expires_at} />
}
