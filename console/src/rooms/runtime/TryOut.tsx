/** The rules against what the nodes recorded: how far back each node's record goes is always said, hits are shown. */
import { Alert as Note, Button, Modal, Progress, Select, Table } from 'antd'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { get, post } from '@/api/client'
import { Failure } from '@/parts/Failure'
import { Severity } from '@/parts/Severity'
import { Time } from '@/parts/Time'
import { number } from '@/shell/i18n'
import { commandOf, titleOf } from './data'
import type { Format, Replay } from './policy'

const HOURS = [1, 6, 24]

export function TryOut({ text, format, rules, close }: { text: string; format: Format; rules: string[]; close: () => void }) {
  const { t } = useTranslation('runtime')
  const [hours, setHours] = useState(24)
  const [rule, setRule] = useState('')
  const start = useMutation({ mutationFn: () => post<{ id: string }>('/rules/test', { text, format, hours, ...(rule ? { rule } : {}) }) })
  const id = start.data?.id
  const { data, error, refetch } = useQuery({
    queryKey: ['replay', id],
    enabled: Boolean(id),
    queryFn: ({ signal }) => get<Replay>(`/rules/tests/${encodeURIComponent(id ?? '')}`, signal),
    refetchInterval: ({ state }) => (state.data && state.data.state !== 'running' ? false : 1000),
  })
  const running = start.isPending || (Boolean(id) && (!data || data.state === 'running'))
  return (
    <Modal open width={860} style={{ top: 40 }} title={t('try.title')} onCancel={close} footer={<Button onClick={close}>{t('shell:close')}</Button>}>
      <p>{t('try.about')}</p>
      <div className="try-ask">
        <Select value={hours} onChange={setHours} aria-label={t('try.hours')} options={HOURS.map((value) => ({ value, label: t('try.last', { count: value }) }))} style={{ width: 150 }} />
        {rules.length > 1 && <Select value={rule} onChange={setRule} showSearch aria-label={t('column.rule')} options={[{ value: '', label: t('try.all', { count: rules.length }) }, ...rules.map((value) => ({ value, label: value }))]} style={{ width: 280 }} />}
        <Button type="primary" onClick={() => start.mutate()} loading={running}>
          {t(data ? 'try.again' : 'try.start')}
        </Button>
      </div>
      {start.error ? <Failure error={start.error} /> : null}
      {error && !data ? <Failure error={error} retry={() => void refetch()} /> : null}
      {data && <Outcome replay={data} />}
    </Modal>
  )
}

function Outcome({ replay }: { replay: Replay }) {
  const { t } = useTranslation('runtime')
  const done = replay.nodes.filter((node) => node.state === 'done' || node.state === 'failed').length
  return (
    <div data-test="replay">
      {replay.state === 'running' && <Progress percent={Math.round((done / Math.max(replay.nodes.length, 1)) * 100)} status="active" size="small" />}
      {replay.state !== 'running' && (
        <Note type={replay.state === 'failed' ? 'error' : replay.hits ? 'warning' : 'success'} showIcon title={replay.state === 'failed' ? t('try.failed') : replay.hits ? t('try.hits', { count: replay.hits, shown: number(replay.hits) }) : t('try.noHits')} description={replay.truncated ? t('try.truncated') : undefined} />
      )}
      <h3>{t('try.coverage')}</h3>
      {replay.nodes.length === 0 && <p className="quiet">{t('try.noNodes')}</p>}
      <ul className="rows">
        {replay.nodes.map((node) => (
          <li key={node.agent_id}>
            <b>{node.name}</b>
            <span className="grow">
              {node.from ? (
                <>
                  <Time at={node.from} /> – <Time at={node.to} />
                </>
              ) : (
                <span className={node.error ? 'high' : 'quiet'}>{node.state === 'failed' && node.error ? node.error : t(`try.node.${node.state}`, { defaultValue: node.state })}</span>
              )}
            </span>
            <span className="quiet">{t('try.events', { count: node.events, shown: number(node.events) })}</span>
          </li>
        ))}
      </ul>
      {replay.alerts.length > 0 && (
        <>
          <h3>{t('try.samples')}</h3>
          <Table
            size="small"
            rowKey={(row) => row.id}
            dataSource={replay.alerts}
            pagination={false}
            scroll={{ y: 260 }}
            columns={[
              { title: t('column.severity'), width: 90, render: (_, row) => <Severity name={row.severity} /> },
              { title: t('column.title'), ellipsis: true, render: (_, row) => titleOf(row) },
              { title: t('column.container'), width: 130, ellipsis: true, render: (_, row) => row.container.name || t('onHost') },
              { title: t('column.command'), ellipsis: true, render: (_, row) => <code>{commandOf(row.process)}</code> },
              { title: t('column.lastSeen'), width: 100, render: (_, row) => <Time at={row.last_seen} /> },
            ]}
          />
        </>
      )}
    </div>
  )
}
