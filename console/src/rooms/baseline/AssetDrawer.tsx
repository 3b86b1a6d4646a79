import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { useParams } from 'react-router'
import { ApiError, get, type Page } from '@/api/client'
import { Drawer } from '@/parts/Drawer'
import { EntityLink } from '@/parts/EntityLink'
import { Facts, Section } from '@/parts/Facts'
import { Time } from '@/parts/Time'
import { pathOf, type Asset } from './data'
import { Bar, Rate } from './Outcome'
import { Results } from './Results'

/** One asset: how it stands, and every check that was run on it. */
export function AssetDrawer() {
  const { benchmark = '', id = '' } = useParams()
  const { t } = useTranslation('baseline')
  const query = useQuery({
    queryKey: ['baselines', 'asset', benchmark, id],
    queryFn: async ({ signal }) => {
      const page = await get<Page<Asset>>(`${pathOf(benchmark)}/assets?asset_id=${encodeURIComponent(id)}`, signal)
      if (!page.items[0]) throw new ApiError(404, t('noSuchAsset'), t('noSuchAssetHint'))
      return page.items[0]
    },
  })
  const asset = query.data
  return (
    <Drawer list={`/baseline/${encodeURIComponent(benchmark)}`} query={query} title={asset?.name ?? id.slice(0, 19)}>
      {asset && (
        <>
          <Section title={t('section.asset')}>
            <Bar counts={asset.counts} />
            <div style={{ height: 10 }} />
            <Facts
              items={[
                [t('column.rate'), <Rate key="r" counts={asset.counts} rate={asset.rate} />],
                [t('column.kind'), t(`kind.${asset.kind}`, { defaultValue: asset.kind })],
                [t('column.asset'), asset.kind === 'container' ? <EntityLink key="c" kind="container" id={asset.id}>{asset.name}</EntityLink> : asset.name],
                [t('column.host'), <EntityLink key="h" kind="host" id={asset.host_id}>{asset.host_name}</EntityLink>],
                [t('column.judged'), <Time key="t" at={asset.judged_at} />],
              ]}
            />
          </Section>
          <Section title={t('section.results')}>
            <Results benchmark={benchmark} filter={{ asset_id: asset.id, host_id: asset.host_id }} counts={asset.counts} />
          </Section>
        </>
      )}
    </Drawer>
  )
}
