/** What the world knows, as far as it was imported: which feeds, how much, how old. */
import { ClockCircleOutlined } from '@ant-design/icons'
import { Alert, Skeleton, Table } from 'antd'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { get } from '@/api/client'
import { Copyable } from '@/parts/Copyable'
import { Empty } from '@/parts/Empty'
import { Failure } from '@/parts/Failure'
import { Page } from '@/parts/Page'
import { Time } from '@/parts/Time'
import { number } from '@/shell/i18n'
import { ageOf, STALE_DAYS, type Feed, type IntelStatus } from './data'

const COMMAND = 'seawall intel import FEEDS…'

export function IntelPage() {
  const { t } = useTranslation('intel')
  const query = useQuery({ queryKey: ['intel'], queryFn: ({ signal }) => get<IntelStatus>('/intel/status', signal), refetchInterval: 30_000 })
  return (
    <Page title={t('title')} about={t('about')}>
      {query.error && !query.data ? <Failure error={query.error} retry={() => void query.refetch()} /> : null}
      {query.isLoading && <Skeleton active paragraph={{ rows: 6 }} />}
      {query.data && <Body status={query.data} />}
    </Page>
  )
}

function Body({ status }: { status: IntelStatus }) {
  const { t } = useTranslation('intel')
  const { feeds, advisories, kev } = status
  const stale = feeds.filter((feed) => ageOf(feed) >= STALE_DAYS)
  return (
    <>
      {stale.length > 0 && (
        <Alert
          type="warning"
          showIcon
          style={{ marginBottom: 12 }}
          title={t('stale', { count: stale.length, days: STALE_DAYS })}
          description={t('staleNext', { names: stale.map((feed) => feed.name).join(', ') })}
        />
      )}
      <div className="needs">
        <Link to="/vulnerabilities" className="panel need">
          <h2>{t('advisories')}</h2>
          <div className={`figure ${advisories ? '' : 'high'}`}>{number(advisories)}</div>
        </Link>
        <Link to="/vulnerabilities?kev=true" className="panel need">
          <h2>{t('kev')}</h2>
          <div className="figure">
            {kev ? number(kev) : '–'} {!kev && <small>{t('kevNone')}</small>}
          </div>
        </Link>
        <div className="panel need">
          <h2>{t('age')}</h2>
          <div className={`figure ${stale.length ? 'medium' : ''}`}>
            {status.age_days === null ? '–' : t('days', { count: status.age_days })}
          </div>
        </div>
      </div>
      <section className="panel" style={{ marginBottom: 14 }}>
        <header>
          <h2>{t('how')}</h2>
        </header>
        <div className="panel-body">
          <p className="quiet" style={{ marginTop: 0 }}>
            {t('howAbout')}
          </p>
          <Copyable text={COMMAND} block />
        </div>
      </section>
      <section className="data-table">
        <Table<Feed>
          size="small"
          rowKey="name"
          pagination={false}
          dataSource={feeds}
          locale={{ emptyText: <Empty title={t('none')}>{t('noneNext')}</Empty> }}
          columns={[
            { key: 'name', title: t('column.feed'), render: (_, feed) => <b>{feed.name}</b> },
            { key: 'records', title: t('column.records'), align: 'right', width: 130, render: (_, feed) => number(feed.records) },
            {
              key: 'updated',
              title: t('column.updated'),
              width: 190,
              render: (_, feed) => (
                <span className={ageOf(feed) >= STALE_DAYS ? 'medium' : ''}>
                  {ageOf(feed) >= STALE_DAYS && <ClockCircleOutlined aria-label={t('staleOne')} />} <Time at={feed.updated_at} />
                  {ageOf(feed) >= STALE_DAYS && ` · ${t('staleOne')}`}
                </span>
              ),
            },
            { key: 'source', title: t('column.source'), render: (_, feed) => <code>{feed.source}</code> },
          ]}
        />
      </section>
    </>
  )
}
