/** Doing something about it: what will happen to what, a dry run that says whether it can, one question, the result, the undo. */
import { DownOutlined } from '@ant-design/icons'
import { Alert as Note, App, Button, Dropdown, Modal, Skeleton } from 'antd'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMay } from '@/api/session'
import { Facts } from '@/parts/Facts'
import { Failure, useExplain } from '@/parts/Failure'
import type { Alert } from './data'
import { canUndo, isOpen, respond, undo, UNDO, useResponse, wishesOf, type Response, type Wish } from './responses'
import { reasonText } from './Result'
import './runtime.css'

/** Names for people of what a wish is about. */
export interface Named {
  process?: string
  container?: string
  host?: string
}

export function RespondMenu({ alert }: { alert: Alert }) {
  const names = { process: alert.process.name || alert.process.exe || '', container: alert.container.name || alert.container.id?.slice(0, 12) || '', host: alert.host_name }
  return <WishMenu wishes={wishesOf(alert)} names={names} />
}

/** What can be done to a container from where it is listed. */
export function ContainerResponses({ container }: { container: { id: string; name: string; state: string; agent_id: string; host_name: string } }) {
  const actions = container.state === 'running' ? (['pause', 'stop', 'kill_container', 'isolate'] as const) : container.state === 'paused' ? (['unpause', 'stop', 'kill_container'] as const) : []
  return <WishMenu wishes={actions.map((action) => ({ action, agent_id: container.agent_id, container_id: container.id }))} names={{ container: container.name, host: container.host_name }} />
}

function WishMenu({ wishes, names }: { wishes: Wish[]; names: Named }) {
  const { t } = useTranslation('runtime')
  const [wish, setWish] = useState<Wish | null>(null)
  if (!useMay('operator') || wishes.length === 0) return null
  return (
    <>
      <Dropdown
        trigger={['click']}
        menu={{
          items: wishes.map((one) => ({
            key: one.action,
            danger: ['kill', 'kill_container', 'stop'].includes(one.action),
            label: (
              <div className="respond-item">
                {t(`respond.${one.action}.name`)}
                <small className="quiet">{t(`respond.${one.action}.short`)}</small>
              </div>
            ),
            onClick: () => setWish(one),
          })),
        }}
      >
        <Button size="small">
          {t('respond.open')} <DownOutlined />
        </Button>
      </Dropdown>
      {wish && <RespondModal wish={wish} names={names} close={() => setWish(null)} />}
    </>
  )
}

export function RespondModal({ wish, names, close }: { wish: Wish; names: Named; close: () => void }) {
  const { t } = useTranslation('runtime')
  const client = useQueryClient()
  const [real, setReal] = useState(false)
  const trial = useMutation({ mutationFn: () => respond(wish, true) })
  const deed = useMutation({ mutationFn: () => respond(wish, false), onSettled: () => void client.invalidateQueries({ queryKey: ['responses'] }) })
  const { mutate: tryIt } = trial
  useEffect(() => tryIt(), [tryIt])
  const foreseen = useResponse(trial.data?.id).data ?? trial.data
  const done = useResponse(deed.data?.id).data ?? deed.data
  const words = { ...names, pid: wish.pid ?? '', path: wish.path ?? '' }
  const go = () => {
    setReal(true)
    deed.mutate()
  }
  const refused = foreseen?.state === 'failed'
  return (
    <Modal
      open
      title={t(`respond.${wish.action}.name`)}
      onCancel={close}
      width={560}
      footer={
        real ? (
          <>
            {done && <Undo response={done} />}
            <Button onClick={close}>{t('shell:close')}</Button>
          </>
        ) : (
          <>
            <Button onClick={close}>{t('shell:cancel')}</Button>
            <Button danger type="primary" onClick={go} disabled={trial.isPending || refused || Boolean(foreseen && isOpen(foreseen))}>
              {t(`respond.${wish.action}.name`)}
            </Button>
          </>
        )
      }
    >
      <p>{t(`respond.${wish.action}.about`, words)}</p>
      <Facts
        items={[
          [t('respond.target'), <code key="t">{wish.action === 'kill' ? `${names.process} (${wish.pid})` : wish.action === 'quarantine' ? wish.path : names.container}</code>],
          [t('column.host'), names.host],
          [t('respond.undoing'), t(wish.action in UNDO ? `respond.undo.${wish.action}` : 'respond.undo.none')],
        ]}
      />
      <div className="respond-state" data-test="respond-state">
        {!real && <Outcome title={t('respond.trial')} response={foreseen} error={trial.error} retry={() => trial.mutate()} />}
        {real && <Outcome title={t('respond.deed')} response={done} error={deed.error} retry={go} />}
      </div>
    </Modal>
  )
}

function Outcome({ title, response, error, retry }: { title: string; response: Response | null | undefined; error: unknown; retry: () => void }) {
  const { t } = useTranslation('runtime')
  if (error) return <Failure error={error} retry={retry} />
  if (!response) return <Skeleton active title={false} paragraph={{ rows: 1 }} />
  const open = isOpen(response)
  return (
    <Note
      type={open ? 'info' : response.state === 'failed' ? 'error' : response.dry_run ? 'info' : 'success'}
      showIcon
      title={`${title}: ${outcomeText(response, t)}`}
      description={response.means ? t('respond.by', { means: t(`means.${response.means}`, { defaultValue: response.means }) }) : undefined}
    />
  )
}

/** What came of a response, in words: its state, and why it failed. */
export function outcomeText(response: Response, t: ReturnType<typeof useTranslation<'runtime'>>['t']): string {
  if (isOpen(response)) return t(`respond.state.${response.state}`)
  if (response.state === 'failed') return reasonText(response.reason, t) || t('respond.state.failed')
  const said = response.dry_run ? t(`respond.${response.action}.would`, { defaultValue: t('respond.would') }) : t(`respond.${response.action}.did`)
  return response.undone_by ? `${said} · ${t('respond.undone')}` : said
}

/** One click takes it back, and shows what came of that. */
export function Undo({ response, small = false }: { response: Response; small?: boolean }) {
  const { t } = useTranslation('runtime')
  const { message } = App.useApp()
  const explain = useExplain()
  const client = useQueryClient()
  const back = useMutation({
    mutationFn: () => undo(response.id),
    onSuccess: () => void message.info(t('respond.undoSent')),
    onError: (error) => void message.error(Object.values(explain(error)).filter(Boolean).join(': ')),
    onSettled: () => {
      for (const key of ['responses', 'isolations', 'quarantine']) void client.invalidateQueries({ queryKey: [key] })
    },
  })
  const undoing = useResponse(back.data?.id).data ?? back.data
  if (!useMay('operator')) return null
  if (undoing) return <span className={undoing.state === 'failed' ? 'high' : 'good'}>{outcomeText(undoing, t)}</span>
  if (!canUndo(response)) return null
  return (
    <Button
      size={small ? 'small' : 'middle'}
      loading={back.isPending}
      onClick={(event) => {
        event.stopPropagation()
        back.mutate()
      }}
    >
      {t(`respond.${UNDO[response.action]!}.name`)}
    </Button>
  )
}
