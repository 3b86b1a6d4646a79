import { Alert, Button } from 'antd'
import { useTranslation } from 'react-i18next'
import { ApiError } from '@/api/client'

/** What failed as one sentence, and what to try. */
export function useExplain(): (error: unknown) => { title: string; hint: string } {
  const { t } = useTranslation()
  return (error) => {
    if (error instanceof ApiError && error.status === 0) return { title: t('unreachable'), hint: t('unreachableHint') }
    if (error instanceof ApiError) return { title: error.message, hint: error.hint }
    return { title: String(error), hint: '' }
  }
}

/** An error in place of what could not be shown, with a way to try again. */
export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t } = useTranslation()
  const { title, hint } = useExplain()(error)
  return (
    <Alert
      type="error"
      showIcon
      title={title}
      description={hint || undefined}
      action={retry && <Button onClick={retry}>{t('retry')}</Button>}
    />
  )
}
