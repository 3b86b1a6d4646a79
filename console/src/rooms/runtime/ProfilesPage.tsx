import { WarningFilled } from '@ant-design/icons'
import { Tooltip } from 'antd'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, Outlet } from 'react-router'
import { DataTable, type Column, type Filter } from '@/parts/DataTable'
import { Empty } from '@/parts/Empty'
import { placeOf } from '@/parts/EntityLink'
import { Page } from '@/parts/Page'
import { Time } from '@/parts/Time'
import { number } from '@/shell/i18n'
import { MODES, type Mode, type Profile } from './policy'
import './runtime.css'

/** Discover → Monitor → Protect: the word, and how far along it is. */
export function ModeMark({ mode }: { mode: Mode }) {
  const { t } = useTranslation('runtime')
  const step = MODES.indexOf(mode)
  return (
    <Tooltip title={t(`modeAbout.${mode}`)}>
      <span className={`mode ${['low', 'medium', 'good'][step] ?? ''}`}>
        <span aria-hidden="true">{'●'.repeat(step + 1) + '○'.repeat(2 - step)}</span> {t(`mode.${mode}`)}
      </span>
    </Tooltip>
  )
}

export const nameOf = (profile: { image: string; image_digest: string }) => profile.image || profile.image_digest.slice(0, 26)

export function ProfilesPage() {
  const { t } = useTranslation('runtime')
  const columns: Column<Profile>[] = useMemo(
    () => [
      { key: 'image', title: t('column.image'), sort: 'image', width: 230, render: (row) => <span title={row.image_digest}>{nameOf(row)}</span> },
      {
        key: 'mode',
        title: t('profile.mode'),
        sort: 'mode',
        width: 130,
        render: (row) => (
          <>
            <ModeMark mode={row.mode} />
            {row.fallback && (
              <Tooltip title={t('profile.fellBack', { reason: row.fallback.reason })}>
                <WarningFilled className="high" style={{ marginLeft: 6 }} aria-label={t('profile.fallback')} />
              </Tooltip>
            )}
          </>
        ),
      },
      { key: 'ready', title: t('profile.next'), width: 130, render: (row) => (row.ready ? <span className="good">{t('profile.ready')}</span> : <span className="quiet">{row.mode === 'discover' ? t('profile.learning') : '–'}</span>) },
      { key: 'programs', title: t('profile.programs'), sort: 'programs', width: 100, align: 'right', render: (row) => number(row.programs) },
      {
        key: 'violations',
        title: t('profile.violations'),
        sort: 'violations_7d',
        width: 134,
        align: 'right',
        render: (row) =>
          row.violations_7d ? (
            <Link to={`/alerts?rule=profile_violation&image=${encodeURIComponent(row.image)}`} onClick={(event) => event.stopPropagation()} className="medium">
              {number(row.violations_7d)}
            </Link>
          ) : (
            <span className="quiet">0</span>
          ),
      },
      { key: 'containers', title: t('profile.containers'), width: 100, align: 'right', render: (row) => (row.containers === undefined ? '–' : number(row.containers)) },
      { key: 'new', title: t('profile.lastNew'), sort: 'last_new', width: 150, render: (row) => <Time at={row.last_new} /> },
      { key: 'since', title: t('profile.since'), sort: 'learned_since', width: 120, render: (row) => <Time at={row.learned_since} /> },
      { key: 'digest', title: t('digest'), width: 200, hidden: true, render: (row) => <code title={row.image_digest}>{row.image_digest.slice(0, 26)}</code> },
    ],
    [t],
  )
  const filters: Filter[] = useMemo(() => [{ key: 'mode', label: t('profile.mode'), options: MODES.map((value) => ({ value, label: t(`mode.${value}`) })) }], [t])
  return (
    <Page title={t('profiles')} about={t('profilesAbout')}>
      <DataTable<Profile>
        name="profiles"
        path="/profiles"
        columns={columns}
        filters={filters}
        sort="-last_new"
        idOf={(row) => row.id}
        linkOf={(row) => placeOf('profile', row.id)}
        empty={<Empty title={t('profile.none')}>{t('profile.noneNext')}</Empty>}
      />
      <Outlet />
    </Page>
  )
}
