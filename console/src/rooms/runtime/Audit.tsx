import { useTranslation } from 'react-i18next'
import { Facts, Section } from '@/parts/Facts'
import { Time } from '@/parts/Time'
import type { Audited } from './policy'

/** Who made it and who changed it last. */
export function Audit({ row }: { row: Audited }) {
  const { t } = useTranslation('runtime')
  return (
    <Section title={t('section.audit')}>
      <Facts
        items={[
          [t('audit.created'), <span key="c">{row.created_by} · <Time at={row.created_at} /></span>],
          [t('audit.updated'), row.updated_at && row.updated_at !== row.created_at ? <span key="u">{row.updated_by} · <Time at={row.updated_at} /></span> : undefined],
        ]}
      />
    </Section>
  )
}
