/** Six outcomes, each with a form, a colour and a word; only a pass looks like one. */
import { CheckCircleFilled, CloseCircleFilled, EyeOutlined, FileProtectOutlined, MinusCircleOutlined, QuestionCircleOutlined } from '@ant-design/icons'
import { Tooltip } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { number, percent } from '@/shell/i18n'
import { OUTCOMES, totalOf, type Counts, type Outcome } from './data'
import './baseline.css'

const MARKS: Record<Outcome, ReactNode> = {
  pass: <CheckCircleFilled />,
  fail: <CloseCircleFilled />,
  manual: <EyeOutlined />,
  not_applicable: <MinusCircleOutlined />,
  not_checked: <QuestionCircleOutlined />,
  waived: <FileProtectOutlined />,
}
const TONES: Record<Outcome, string> = { pass: 'good', fail: 'high', manual: 'low', not_applicable: 'quiet', not_checked: 'medium', waived: 'info' }

export function OutcomeWord({ name }: { name: Outcome }) {
  const { t } = useTranslation('baseline')
  return (
    <Tooltip title={t(`outcomeAbout.${name}`)}>
      <span className={`outcome ${TONES[name]}`}>
        {MARKS[name]} {t(`outcome.${name}`)}
      </span>
    </Tooltip>
  )
}

/** The counts that are not zero; a check that was never run says so. */
export function OutcomeCounts({ counts }: { counts: Counts }) {
  const { t } = useTranslation('baseline')
  const some = OUTCOMES.filter((name) => counts[name] > 0)
  if (some.length === 0) return <span className="quiet">{t('notRun')}</span>
  return (
    <span className="outcome-counts">
      {some.map((name) => (
        <span key={name} className={TONES[name]} title={t(`outcome.${name}`)}>
          {MARKS[name]} {number(counts[name])}
          <span className="visually-hidden">{t(`outcome.${name}`)}</span>
        </span>
      ))}
    </span>
  )
}

export function Bar({ counts }: { counts: Counts }) {
  const total = totalOf(counts) || 1
  return (
    <div className="outcome-bar" aria-hidden="true">
      {OUTCOMES.filter((name) => counts[name] > 0).map((name) => (
        <i key={name} className={name} style={{ width: `${(counts[name] / total) * 100}%` }} />
      ))}
    </div>
  )
}

/** Passes among what was judged, never without the share that was not. */
export function Rate({ counts, rate }: { counts: Counts; rate: number | null }) {
  const { t } = useTranslation('baseline')
  const total = totalOf(counts)
  if (!total) return <span className="quiet">{t('notRun')}</span>
  const rest = total - counts.pass - counts.fail
  return (
    <Tooltip title={t('rateOf', { pass: number(counts.pass), judged: number(counts.pass + counts.fail), rest: number(rest), total: number(total) })}>
      <span>
        {percent(rate)} {rest > 0 && <small className="quiet">{t('notAssessed', { share: percent(rest / total) })}</small>}
      </span>
    </Tooltip>
  )
}
