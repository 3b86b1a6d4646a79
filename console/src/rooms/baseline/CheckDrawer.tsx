import { Space } from 'antd'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { useParams } from 'react-router'
import { ApiError, get, type Page } from '@/api/client'
import { Drawer } from '@/parts/Drawer'
import { Facts, Section } from '@/parts/Facts'
import { Severity } from '@/parts/Severity'
import { say } from '@/shell/i18n'
import { mapped } from './BaselinePage'
import { pathOf, type Check } from './data'
import { Results } from './Results'

export const useCheck = (benchmark: string, id: string) => {
  const { t } = useTranslation('baseline')
  return useQuery({
    queryKey: ['baselines', 'check', benchmark, id],
    queryFn: async ({ signal }) => {
      const page = await get<Page<Check>>(`${pathOf(benchmark)}/checks?check=${encodeURIComponent(id)}`, signal)
      if (!page.items[0]) throw new ApiError(404, t('noSuchCheck', { id }))
      return page.items[0]
    },
  })
}

/** One check: why it matters, how to mend it, and what was seen on each asset. */
export function CheckDrawer() {
  const { benchmark = '', id = '' } = useParams()
  const { t } = useTranslation('baseline')
  const query = useCheck(benchmark, id)
  const check = query.data
  return (
    <Drawer
      list={`/baseline/${encodeURIComponent(benchmark)}`}
      query={query}
      title={
        check ? (
          <Space>
            <Severity name={check.severity} />
            {say(check.title)}
          </Space>
        ) : (
          id
        )
      }
    >
      {check && (
        <>
          <Section title={t('section.why')}>
            <p className="plain">{say(check.why)}</p>
          </Section>
          <Section title={t('section.fix')}>
            <p className="plain">{say(check.fix)}</p>
          </Section>
          <Section title={t('section.check')}>
            <Facts
              items={[
                [t('column.check'), <code key="c">{check.check}</code>],
                [t('column.kind'), t(`kind.${check.asset_kind}`, { defaultValue: check.asset_kind })],
                [t('column.level'), t('level', { level: check.level })],
                [t('column.mappings'), mapped(check.mappings)],
                [t('judgedBy'), check.manual ? t('byPerson') : t('byFacts')],
              ]}
            />
          </Section>
          <Section title={t('section.results')}>
            <Results benchmark={benchmark} filter={{ check: check.check }} counts={check.counts} />
          </Section>
        </>
      )}
    </Drawer>
  )
}
