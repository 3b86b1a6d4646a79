/** Addresses, networks, domains and files by which attacks are known: lists that were brought, and entries of one's own. */
import { PlusOutlined, UploadOutlined } from '@ant-design/icons'
import { App, Button, Popconfirm, Upload } from 'antd'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { get, post, remove } from '@/api/client'
import { useMay } from '@/api/session'
import { DataTable, type Column, type Filter } from '@/parts/DataTable'
import { Empty } from '@/parts/Empty'
import { useExplain } from '@/parts/Failure'
import { Page } from '@/parts/Page'
import { Time } from '@/parts/Time'
import { number } from '@/shell/i18n'
import { AddIndicator } from './AddIndicator'
import { FEED_KINDS, type Brought, type Indicator, type IntelStatus } from './data'

const MAX_LIST = 3 << 20
const TYPES = ['ip', 'net', 'domain', 'sha256']

export function IndicatorsPage() {
  const { t } = useTranslation('intel')
  const may = useMay('operator')
  const { message } = App.useApp()
  const explain = useExplain()
  const client = useQueryClient()
  const [adding, setAdding] = useState(false)
  const fresh = () => {
    for (const key of ['indicators', 'intel']) void client.invalidateQueries({ queryKey: [key] })
  }
  const failed = (error: unknown) => void message.error(Object.values(explain(error)).filter(Boolean).join(': '))
  const bring = useMutation({
    mutationFn: (list: { name: string; text: string }) => post<Brought>('/indicators/lists', list),
    onSuccess: ({ lists, entries, unread }) => {
      const names = lists.map(({ name }) => name).join(', ')
      void message.success(unread ? t('indicator.broughtPart', { names, entries, unread }) : t('indicator.brought', { names, entries }), 8)
    },
    onSettled: fresh,
    onError: failed,
  })
  const drop = useMutation({ mutationFn: (row: Indicator) => remove(`/indicators/${row.id}`), onSuccess: () => void message.success(t('indicator.removed')), onSettled: fresh, onError: failed })
  const allow = useMutation({
    mutationFn: (row: Indicator) => post('/indicators', { value: row.value, kind: 'allowed', about: t('indicator.allowedAbout', { source: row.source }) }),
    onSuccess: (_, row) => void message.success(t('indicator.allowed', { value: row.value })),
    onSettled: fresh,
    onError: failed,
  })
  const columns: Column<Indicator>[] = useMemo(
    () => [
      { key: 'value', title: t('indicator.value'), sort: 'value', width: 260, render: (row) => <code title={row.value}>{row.value}</code> },
      { key: 'type', title: t('indicator.type'), sort: 'type', width: 110, render: (row) => t(`indicator.types.${row.type}`) },
      { key: 'kind', title: t('indicator.kind'), sort: 'kind', width: 130, render: (row) => <span className={row.kind === 'allowed' ? 'good' : ''}>{t(`indicator.kinds.${row.kind}`, { defaultValue: row.kind })}</span> },
      { key: 'source', title: t('indicator.source'), sort: 'source', width: 150, render: (row) => (row.own ? t('indicator.own', { who: row.created_by }) : row.source) },
      { key: 'confidence', title: t('indicator.confidence'), sort: 'confidence', width: 100, align: 'right', hidden: true, render: (row) => number(row.confidence) },
      {
        key: 'expires',
        title: t('indicator.expires'),
        sort: 'expires_at',
        width: 130,
        render: (row) => (row.ended ? <span className="quiet">{t('indicator.ended')} · <Time at={row.expires_at} /></span> : row.expires_at ? <Time at={row.expires_at} /> : <span className="quiet">{t('indicator.never')}</span>),
      },
      { key: 'created', title: t('indicator.created'), sort: 'created_at', width: 120, render: (row) => <Time at={row.created_at} /> },
      { key: 'about', title: t('indicator.about'), width: 220, render: (row) => <span title={row.about}>{row.about}</span> },
      ...(may
        ? [
            {
              key: 'action',
              title: '',
              width: 110,
              align: 'right' as const,
              render: (row: Indicator) =>
                row.own ? (
                  <Popconfirm title={t('indicator.removeAsk', { value: row.value })} description={t('indicator.removeAbout')} okText={t('indicator.remove')} okButtonProps={{ danger: true }} cancelText={t('shell:cancel')} onConfirm={() => drop.mutateAsync(row).catch(() => undefined)}>
                    <Button size="small" danger type="text" aria-label={t('indicator.removeOne', { value: row.value })}>
                      {t('indicator.remove')}
                    </Button>
                  </Popconfirm>
                ) : (
                  <Popconfirm title={t('indicator.allowAsk', { value: row.value })} description={t('indicator.allowAbout')} okText={t('indicator.allow')} cancelText={t('shell:cancel')} onConfirm={() => allow.mutateAsync(row).catch(() => undefined)}>
                    <Button size="small" type="text" aria-label={t('indicator.allowOne', { value: row.value })}>
                      {t('indicator.allow')}
                    </Button>
                  </Popconfirm>
                ),
            },
          ]
        : []),
    ],
    // the mutations are made anew by each render and always do the same
    // eslint-disable-next-line
    [t, may],
  )
  const filters: Filter[] = useMemo(
    () => [
      { key: 'own', label: t('indicator.source'), tabs: t('indicator.all'), options: [{ value: 'true', label: t('indicator.ownOnly') }, { value: 'false', label: t('indicator.listsOnly') }] },
      { key: 'type', label: t('indicator.type'), options: TYPES.map((value) => ({ value, label: t(`indicator.types.${value}`) })) },
      { key: 'kind', label: t('indicator.kind'), options: ['blocked', 'allowed', ...FEED_KINDS].map((value) => ({ value, label: t(`indicator.kinds.${value}`) })) },
      { key: 'source', label: t('indicator.source') },
      { key: 'ended', label: t('indicator.expires'), options: [{ value: 'false', label: t('indicator.inForce') }, { value: 'true', label: t('indicator.ended') }] },
    ],
    [t],
  )
  const actions = may && (
    <>
      <Upload
        accept=".txt,.csv,.tsv,.json,.list,.ipset,.netset,.hosts,.conf"
        showUploadList={false}
        beforeUpload={(file) => {
          if (file.size > MAX_LIST) void message.error(t('indicator.large'))
          else void file.text().then((text) => bring.mutate({ name: file.name, text }))
          return false
        }}
      >
        <Button icon={<UploadOutlined />} loading={bring.isPending}>
          {t('indicator.bring')}
        </Button>
      </Upload>
      <Button type="primary" icon={<PlusOutlined />} onClick={() => setAdding(true)}>
        {t('indicator.add')}
      </Button>
    </>
  )
  return (
    <Page title={t('indicators')} about={t('indicatorsAbout')} actions={actions}>
      <Lists may={may} fresh={fresh} failed={failed} />
      <DataTable<Indicator>
        name="indicators"
        path="/indicators"
        columns={columns}
        filters={filters}
        sort="-created_at"
        idOf={(row) => row.id}
        rowClass={(row) => (row.ended ? 'done' : '')}
        empty={<Empty title={t('indicator.none')}>{t('indicator.noneNext')}</Empty>}
      />
      {adding && <AddIndicator close={() => setAdding(false)} done={fresh} />}
    </Page>
  )
}

/** The lists that were brought: how long, how old, and away with them. */
function Lists({ may, fresh, failed }: { may: boolean; fresh: () => void; failed: (error: unknown) => void }) {
  const { t } = useTranslation('intel')
  const query = useQuery({ queryKey: ['intel'], queryFn: ({ signal }) => get<IntelStatus>('/intel/status', signal) })
  const drop = useMutation({ mutationFn: (name: string) => remove(`/indicators/sources/${encodeURIComponent(name)}`), onSettled: fresh, onError: failed })
  const sources = (query.data?.indicators?.sources ?? []).filter(({ name }) => name !== 'user')
  if (!sources.length) return null
  return (
    <section className="panel" style={{ marginBottom: 14 }} aria-label={t('indicator.lists')}>
      <header>
        <h2>{t('indicator.lists')}</h2>
      </header>
      <div className="panel-body">
        {sources.map(({ name, entries, updated_at }) => (
          <p key={name} style={{ margin: '2px 0' }} data-list={name}>
            <b>{name}</b> · {t('indicator.entries', { count: entries })} · <Time at={updated_at} />
            {may && (
              <Popconfirm title={t('indicator.dropAsk', { name })} description={t('indicator.dropAbout', { count: entries })} okText={t('indicator.drop')} okButtonProps={{ danger: true }} cancelText={t('shell:cancel')} onConfirm={() => drop.mutateAsync(name).catch(() => undefined)}>
                <Button size="small" danger type="text" aria-label={t('indicator.dropOne', { name })}>
                  {t('indicator.drop')}
                </Button>
              </Popconfirm>
            )}
          </p>
        ))}
      </div>
    </section>
  )
}
