import { Alert as Note, App, Button, Checkbox, Input, Popconfirm, Segmented, Space, Table } from 'antd'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useParams } from 'react-router'
import { patch, post, put } from '@/api/client'
import { useMay } from '@/api/session'
import { Copyable } from '@/parts/Copyable'
import { Drawer } from '@/parts/Drawer'
import { EntityLink } from '@/parts/EntityLink'
import { Facts, Section } from '@/parts/Facts'
import { useExplain } from '@/parts/Failure'
import { exact, Time } from '@/parts/Time'
import { number } from '@/shell/i18n'
import { Audit } from './Audit'
import { MODES, profilePath, useProfile, type Mode, type ProfileDetail, type ProfileProgram } from './policy'
import { ModeMark, nameOf } from './ProfilesPage'
import './runtime.css'

export function ProfileDrawer() {
  const { id = '' } = useParams()
  const { t } = useTranslation('runtime')
  const query = useProfile(id)
  const profile = query.data
  return (
    <Drawer
      list="/profiles"
      query={query}
      title={
        profile ? (
          <Space>
            {nameOf(profile)}
            <ModeMark mode={profile.mode} />
          </Space>
        ) : (
          t('profile.one')
        )
      }
    >
      {profile && <Body profile={profile} />}
    </Drawer>
  )
}

function useProfileAction<A>(profile: ProfileDetail, run: (asked: A) => Promise<unknown>, said: string) {
  const { message } = App.useApp()
  const explain = useExplain()
  const client = useQueryClient()
  return useMutation({
    mutationFn: run,
    onSuccess: () => void message.success(said),
    onError: (error) => void message.error(Object.values(explain(error)).filter(Boolean).join(': ')),
    onSettled: () => client.invalidateQueries({ queryKey: ['profiles'] }),
    mutationKey: ['profiles', profile.id],
  })
}

function Body({ profile }: { profile: ProfileDetail }) {
  const { t } = useTranslation('runtime')
  return (
    <>
      {profile.fallback && <Note type="warning" showIcon style={{ marginBottom: 12 }} title={t('profile.fallback')} description={t('profile.fallbackAbout', { reason: profile.fallback.reason, at: exact(profile.fallback.at) })} />}
      <Steps profile={profile} />
      <Section title={t('section.what')}>
        <Facts
          items={[
            [t('column.image'), <Link key="i" to={`/images?q=${encodeURIComponent(profile.image)}`}>{profile.image || '–'}</Link>],
            [t('digest'), <Copyable key="d" text={profile.image_digest} short={profile.image_digest.slice(0, 26)} />],
            [t('profile.containers'), profile.containers === undefined ? undefined : <Link key="c" to={`/containers?q=${encodeURIComponent(profile.image)}`}>{number(profile.containers)}</Link>],
            [t('profile.running'), profile.running?.length ? <Running key="r" profile={profile} /> : undefined],
            [t('profile.since'), <Time key="s" at={profile.learned_since} />],
            [t('profile.lastNew'), <Time key="n" at={profile.last_new} />],
            [t('profile.violations'), profile.violations_7d ? <Link key="v" to={`/alerts?rule=profile_violation&image=${encodeURIComponent(profile.image)}`}>{number(profile.violations_7d)}</Link> : number(0)],
          ]}
        />
      </Section>
      <Programs profile={profile} />
      <Audit row={profile} />
    </>
  )
}

function Running({ profile }: { profile: ProfileDetail }) {
  const running = profile.running ?? []
  return (
    <span data-test="running">
      {running.map(({ id, name, host_name }, place) => (
        <span key={id} title={host_name}>
          {place > 0 && ', '}
          <EntityLink kind="container" id={id}>
            {name}
          </EntityLink>
        </span>
      ))}
      {(profile.containers ?? 0) > running.length && ' …'}
    </span>
  )
}

/** The way Discover → Monitor → Protect: where it is, what the next step means, one click to take it. */
function Steps({ profile }: { profile: ProfileDetail }) {
  const { t } = useTranslation('runtime')
  const may = useMay('operator')
  const { modal } = App.useApp()
  const next = MODES[MODES.indexOf(profile.mode) + 1]
  const promote = useProfileAction(profile, () => post(`${profilePath(profile.id)}/promote`), next ? t('profile.promoted', { mode: t(`mode.${next}`) }) : '')
  const set = useProfileAction(profile, (mode: Mode) => patch(profilePath(profile.id), { mode }), t('profile.changed'))
  // What alerts or stops more than before is asked once.
  const change = (mode: Mode) => {
    if (MODES.indexOf(mode) < MODES.indexOf(profile.mode)) return set.mutate(mode)
    modal.confirm({ title: t('profile.promoteAsk', { mode: t(`mode.${mode}`) }), content: t(`modeAbout.${mode}`), okText: t('profile.promote', { mode: t(`mode.${mode}`) }), cancelText: t('shell:cancel'), onOk: () => set.mutateAsync(mode).catch(() => undefined) })
  }
  return (
    <section className="panel steps">
      <Segmented<Mode>
        value={profile.mode}
        disabled={!may || set.isPending || promote.isPending}
        onChange={change}
        options={MODES.map((value) => ({ value, label: t(`mode.${value}`) }))}
      />
      <p>{t(`modeAbout.${profile.mode}`)}</p>
      {may && next && (
        <Popconfirm title={t('profile.promoteAsk', { mode: t(`mode.${next}`) })} description={<div style={{ maxWidth: 320 }}>{t(`modeAbout.${next}`)}</div>} okText={t('profile.promote', { mode: t(`mode.${next}`) })} cancelText={t('shell:cancel')} onConfirm={() => promote.mutateAsync(undefined).catch(() => undefined)}>
          <Button type="primary" loading={promote.isPending} disabled={profile.programs.length === 0}>
            {t('profile.promote', { mode: t(`mode.${next}`) })}
          </Button>
        </Popconfirm>
      )}
      {profile.mode === 'discover' && <small className="quiet">{profile.programs.length === 0 ? t('profile.nothingYet') : profile.ready ? t('profile.readyAbout') : t('profile.learningAbout')}</small>}
    </section>
  )
}

function Programs({ profile }: { profile: ProfileDetail }) {
  const { t } = useTranslation('runtime')
  const may = useMay('operator')
  const [sought, setSought] = useState('')
  const [fresh, setFresh] = useState('')
  const [chosen, setChosen] = useState<string[]>([])
  const edit = useProfileAction(profile, (asked: { add: string[]; remove: string[] }) => put(`${profilePath(profile.id)}/programs`, asked), t('profile.changed'))
  const rows = useMemo(() => profile.programs.filter((one) => one.path.toLowerCase().includes(sought.toLowerCase())), [profile.programs, sought])
  const add = () => {
    const paths = fresh.split(/[\s,]+/).filter((word) => word.startsWith('/'))
    if (paths.length) edit.mutate({ add: paths, remove: [] }, { onSuccess: () => setFresh('') })
  }
  return (
    <Section title={t('section.programs', { count: profile.programs.length })} extra={<Input size="small" allowClear placeholder={t('profile.seek')} aria-label={t('profile.seek')} value={sought} onChange={(event) => setSought(event.target.value)} style={{ width: 200 }} />}>
      {may && (
        <div className="program-edit">
          <Space.Compact>
            <Input size="small" placeholder="/usr/local/bin/app" aria-label={t('profile.add')} value={fresh} onChange={(event) => setFresh(event.target.value)} onPressEnter={add} style={{ width: 260 }} />
            <Button size="small" onClick={add} disabled={!fresh.trim().startsWith('/')} loading={edit.isPending}>
              {t('profile.add')}
            </Button>
          </Space.Compact>
          {chosen.length > 0 && (
            <Popconfirm title={t('profile.removeAsk', { count: chosen.length })} description={t('profile.removeAbout')} okText={t('profile.remove')} okButtonProps={{ danger: true }} cancelText={t('shell:cancel')} onConfirm={() => edit.mutateAsync({ add: [], remove: chosen }).then(() => setChosen([])).catch(() => undefined)}>
              <Button size="small" danger>
                {t('profile.removeCount', { count: chosen.length })}
              </Button>
            </Popconfirm>
          )}
        </div>
      )}
      <Table<ProfileProgram>
        size="small"
        rowKey="path"
        dataSource={rows}
        pagination={rows.length > 50 ? { pageSize: 50, size: 'small', showSizeChanger: false } : false}
        locale={{ emptyText: sought ? t('shell:noMatch') : t('profile.nothingYet') }}
        columns={[
          ...(may
            ? [
                {
                  key: 'choose',
                  width: 32,
                  render: (_: unknown, row: ProfileProgram) => <Checkbox checked={chosen.includes(row.path)} aria-label={row.path} onChange={(event) => setChosen(event.target.checked ? [...chosen, row.path] : chosen.filter((one) => one !== row.path))} />,
                },
              ]
            : []),
          { title: t('profile.path'), ellipsis: true, render: (_, row) => <code title={row.path}>{row.path}</code> },
          { title: t('profile.parent'), width: 130, ellipsis: true, render: (_, row) => (row.parent ? <code title={row.parent}>{row.parent.split('/').pop()}</code> : <span className="quiet">–</span>) },
          { title: t('column.count'), width: 70, align: 'right', render: (_, row) => number(row.count) },
          { title: t('column.firstSeen'), width: 100, render: (_, row) => <Time at={row.first_seen} /> },
          { title: t('column.lastSeen'), width: 100, render: (_, row) => <Time at={row.last_seen} /> },
          { title: t('profile.source'), width: 80, render: (_, row) => t(`profile.sourceOf.${row.source}`) },
        ]}
      />
    </Section>
  )
}
