/** What is known of an image. "Not scanned", "not checked" and "clean" are three things and look like three. */
import { CheckCircleFilled, ExclamationCircleFilled, MinusCircleOutlined, QuestionCircleOutlined, ScanOutlined } from '@ant-design/icons'
import { App, Button, Progress, Tooltip } from 'antd'
import { useTranslation } from 'react-i18next'
import { useMay } from '@/api/session'
import { useExplain } from '@/parts/Failure'
import { SEVERITIES, SeverityCounts, type Counts } from '@/parts/Severity'
import { number } from '@/shell/i18n'
import { isOpen, useScan, type Image, type Scan } from './data'
import './images.css'

export function ScanState({ scan }: { scan: Scan | null }) {
  const { t } = useTranslation('images')
  if (isOpen(scan)) return <Running scan={scan!} />
  if (scan?.scanned_at) {
    return (
      <Tooltip title={scan.state === 'failed' ? t('scan.failedAgain', { why: scan.error }) : undefined}>
        <span>
          <Verdict scan={scan} /> {scan.state === 'failed' && <ExclamationCircleFilled className="high" aria-label={t('scan.failed')} />}
        </span>
      </Tooltip>
    )
  }
  if (scan?.state === 'failed')
    return (
      <Tooltip title={scan.error}>
        <span className="high">
          <ExclamationCircleFilled /> {t('scan.failed')}: {scan.error}
        </span>
      </Tooltip>
    )
  return (
    <span className="quiet">
      <MinusCircleOutlined /> {t('scan.never')}
    </span>
  )
}

function Running({ scan }: { scan: Scan }) {
  const { t } = useTranslation('images')
  const share = Math.round((scan.progress ?? 0) * 100)
  const text = scan.state === 'waiting' ? t('scan.waiting') : scan.message || t('scan.running')
  return (
    <span className="scan-running" title={text}>
      <Progress percent={share} size="small" status="active" />
      <small className="quiet">{text}</small>
    </span>
  )
}

export function Verdict({ scan }: { scan: Scan }) {
  const { t } = useTranslation('images')
  const { vulnerabilities, unchecked, packages } = scan
  if (!scan.judged || !vulnerabilities)
    return (
      <Tooltip title={scan.error || t('scan.notCheckedAbout')}>
        <span className="medium">
          <QuestionCircleOutlined /> {t('scan.notChecked')}
        </span>
      </Tooltip>
    )
  const found = Object.values(vulnerabilities).reduce((sum, one) => sum + one, 0)
  if (found > 0) return <CountBar counts={vulnerabilities} />
  if (packages && unchecked === packages)
    return (
      <Tooltip title={t('scan.noFeedAbout')}>
        <span className="medium">
          <QuestionCircleOutlined /> {t('scan.noFeed')}
        </span>
      </Tooltip>
    )
  return (
    <Tooltip title={unchecked ? t('scan.uncheckedAbout', { count: unchecked }) : undefined}>
      <span className={packages ? 'good' : 'quiet'}>
        {packages ? <CheckCircleFilled /> : <MinusCircleOutlined />} {packages ? t('scan.clean') : t('scan.noPackages')}
        {unchecked ? <small className="medium"> · {t('scan.unchecked', { count: unchecked, shown: number(unchecked) })}</small> : null}
      </span>
    </Tooltip>
  )
}

/** Counts with a thin bar of their shares. */
export function CountBar({ counts }: { counts: Counts }) {
  return (
    <span className="count-bar">
      <SeverityCounts counts={counts} />
      <span className="shares" aria-hidden="true">
        {SEVERITIES.filter((name) => counts[name]).map((name) => (
          <i key={name} className={name} style={{ flexGrow: counts[name] }} />
        ))}
      </span>
    </span>
  )
}

/** A zero is shown only where something was looked at. */
export function Exploited({ scan }: { scan: Scan | null }) {
  const { t } = useTranslation('images')
  const count = scan?.kev ?? null
  const looked = (scan?.packages ?? 0) > (scan?.unchecked ?? 0)
  if (count === null || (count === 0 && !looked)) return <span className="quiet">–</span>
  if (count === 0) return <span className="quiet">0</span>
  return (
    <Tooltip title={t('kevAbout')}>
      <b className="kev">{number(count)}</b>
    </Tooltip>
  )
}

export function KevMark({ short = false }: { short?: boolean }) {
  const { t } = useTranslation('images')
  return (
    <Tooltip title={t('kevAbout')}>
      <b className="kev">{short ? 'KEV' : t('kev')}</b>
    </Tooltip>
  )
}

export function ScanNow({ image, primary = false }: { image: Pick<Image, 'id' | 'name' | 'scan'>; primary?: boolean }) {
  const { t } = useTranslation('images')
  const { message } = App.useApp()
  const explain = useExplain()
  const scan = useScan()
  if (!useMay('operator')) return null
  return (
    <Button
      size="small"
      type={primary ? 'primary' : 'default'}
      icon={<ScanOutlined />}
      disabled={isOpen(image.scan)}
      loading={scan.isPending}
      onClick={(event) => {
        event.stopPropagation()
        scan.mutate(image.id, { onError: (error) => void message.error(Object.values(explain(error)).filter(Boolean).join(': '), 8) })
      }}
    >
      {t(image.scan?.scanned_at ? 'scan.again' : 'scan.now')}
    </Button>
  )
}
