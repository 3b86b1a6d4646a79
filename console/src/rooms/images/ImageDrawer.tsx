import { DownloadOutlined } from '@ant-design/icons'
import { Alert, Button, Dropdown, Space } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link, useParams } from 'react-router'
import { Copyable } from '@/parts/Copyable'
import { Drawer } from '@/parts/Drawer'
import { Empty } from '@/parts/Empty'
import { Facts, Section } from '@/parts/Facts'
import { Failure } from '@/parts/Failure'
import { Time } from '@/parts/Time'
import { bytes, number } from '@/shell/i18n'
import { isOpen, useImage, useInventory, type Image, type Inventory } from './data'
import { Findings } from './Findings'
import { FoundIn } from './Found'
import { Packages } from './Packages'
import { Decision } from './PoliciesPage'
import { Exploited, ScanNow, ScanState, Verdict } from './Scan'
import { KINDS, type FoundKind } from './supply'

export function ImageDrawer() {
  const { id = '' } = useParams()
  const { t } = useTranslation('images')
  const query = useImage(id)
  const image = query.data
  const inventory = useInventory(image)
  const scanned = Boolean(image?.scan?.scanned_at)
  const read = inventory.data
  const layers = read?.layers ?? []
  const tab = (key: string, children: React.ReactNode) => ({ key, label: t(`tab.${key}`), children })
  return (
    <Drawer
      list="/images"
      query={query}
      title={image ? image.name : t('image')}
      extra={
        image && (
          <Space>
            {scanned && <Download image={image} />}
            <ScanNow image={image} primary />
          </Space>
        )
      }
      tabs={
        image
          ? [
              tab('summary', <Summary image={image} inventory={read} />),
              tab('vulnerabilities', scanned ? <Findings image={image} layers={layers} /> : <NotScanned image={image} />),
              ...(scanned ? KINDS.map((kind) => tab(kind, <Looked image={image} inventory={read} kind={kind} />)) : []),
              tab('packages', scanned ? <Packages image={image} /> : <NotScanned image={image} />),
              tab('layers', scanned ? read ? <Layers inventory={read} /> : null : <NotScanned image={image} />),
              ...(read?.skipped.length ? [{ ...tab('skipped', <Skipped inventory={read} />), label: <span className="medium">{t('tab.skipped')} {number(read.skipped.length)}</span> }] : []),
            ]
          : []
      }
    >
      {image && <Head image={image} />}
      {inventory.error ? <Failure error={inventory.error} retry={() => void inventory.refetch()} /> : null}
    </Drawer>
  )
}

function Head({ image }: { image: Image }) {
  const { t } = useTranslation('images')
  const { scan } = image
  return (
    <div data-test="verdict">
      {scan?.state === 'failed' && (
        <Alert type="error" showIcon style={{ marginBottom: 10 }} title={t('scan.failed')} description={scan.error} />
      )}
      {isOpen(scan) && (
        <div style={{ marginBottom: 10 }}>
          <ScanState scan={scan} />
        </div>
      )}
      {scan?.scanned_at ? (
        <Space size="large" wrap>
          <Verdict scan={scan} />
          {scan.risk !== null && (
            <span>
              {t('risk')} <b>{number(scan.risk)}</b>
            </span>
          )}
          {scan.decision && <Decision name={scan.decision} />}
          {scan.kev ? (
            <span>
              {t('column.kev')} <Exploited scan={scan} />
            </span>
          ) : null}
          {scan.judged && <span className="quiet">{t('fixableOf', { count: scan.fixable ?? 0, shown: number(scan.fixable ?? 0) })}</span>}
          <span className="quiet">
            {t('scannedAt')} <Time at={scan.scanned_at} />
          </span>
        </Space>
      ) : (
        !isOpen(scan) && scan?.state !== 'failed' && <ScanState scan={scan} />
      )}
      {scan?.judged && scan.unchecked ? (
        <p className="medium" style={{ margin: '6px 0 0' }}>
          {t('scan.uncheckedOf', { shown: number(scan.unchecked), total: number(scan.packages ?? 0) })}
        </p>
      ) : null}
    </div>
  )
}

const CHECKS = { secrets: 'secret', malware: 'malware', misconfigurations: 'config' } as const
const COUNTS = { secrets: 'secrets', malware: 'malware', misconfigurations: 'config' } as const

/** What nobody looked for is said, with the reason: an empty list would look clean. */
function Looked({ image, inventory, kind }: { image: Image; inventory: Inventory | undefined; kind: FoundKind }) {
  const { t } = useTranslation('images')
  if (!inventory) return null
  const why = inventory.checked[CHECKS[kind]]
  if (image.scan?.[COUNTS[kind]] === null) return <Alert type="warning" showIcon title={t('scan.notChecked')} description={why || t('found.notAsked')} />
  return (
    <>
      {why && <Alert type="warning" showIcon style={{ marginBottom: 10 }} title={t('found.partly')} description={why} />}
      <FoundIn image={image} kind={kind} />
    </>
  )
}

const REPORTS = ['html', 'json', 'sarif', 'cyclonedx', 'spdx', 'openvex', 'csaf', 'junit']

function Download({ image }: { image: Image }) {
  const { t } = useTranslation('images')
  const items = REPORTS.map((key) => ({ key, label: <a href={`/api/v1/images/${encodeURIComponent(image.id)}/report?format=${key}`} download>{t(`report.${key}`)}</a> }))
  return (
    <Dropdown menu={{ items }} trigger={['click']}>
      <Button size="small" icon={<DownloadOutlined />}>
        {t('report.get')}
      </Button>
    </Dropdown>
  )
}

export function NotScanned({ image }: { image: Image }) {
  const { t } = useTranslation('images')
  if (isOpen(image.scan)) return <Empty title={t('scan.underWay')}>{t('scan.underWayNext')}</Empty>
  return (
    <Empty title={t('scan.neverTitle')}>
      <p style={{ marginTop: 0 }}>{t('scan.neverNext')}</p>
      <ScanNow image={image} primary />
    </Empty>
  )
}

const words = (list: string[] | undefined) => (list?.length ? <code>{list.join(' ')}</code> : null)

function Summary({ image, inventory }: { image: Image; inventory: Inventory | undefined }) {
  const { t } = useTranslation('images')
  const config = inventory?.config
  const labels = Object.entries(image.labels)
  return (
    <>
      <Section title={t('section.image')}>
        <Facts
          items={[
            [t('column.tags'), image.tags.length ? image.tags.map((one) => <div key={one}>{one}</div>) : t('untagged')],
            [t('column.id'), <Copyable key="i" text={image.id} short={image.id.slice(0, 19)} />],
            [t('digest'), image.digests.length ? image.digests.map((one) => <Copyable key={one} text={one} short={one.slice(0, 40)} />) : null],
            [t('system'), inventory?.os ? inventory.os.name || `${inventory.os.id} ${inventory.os.version}` : inventory ? t('noSystem') : undefined],
            [t('platform'), [image.os, image.architecture].filter(Boolean).join('/')],
            [t('column.size'), bytes(image.size)],
            [t('column.created'), <Time key="c" at={image.created_at} />],
            [
              t('column.containers'),
              image.containers ? (
                <Link key="n" to={`/containers?image_id=${encodeURIComponent(image.id)}`}>
                  {number(image.containers)}
                </Link>
              ) : (
                '0'
              ),
            ],
            [t('readOn'), inventory ? <Link key="h" to={`/hosts/${encodeURIComponent(inventory.host_id)}`}>{inventory.host_name}</Link> : undefined],
            [t('author'), image.author || undefined],
          ]}
        />
      </Section>
      <Section title={t('section.config')}>
        {config ? (
          <Facts
            items={[
              [t('user'), config.user || <span className="medium">{t('root')}</span>],
              [t('workdir'), config.workdir || '/'],
              [t('entrypoint'), words(config.entrypoint)],
              [t('command'), words(config.cmd)],
              [t('exposed'), config.exposed.length ? config.exposed.join(', ') : null],
              [t('volumes'), config.volumes.length ? config.volumes.join(', ') : null],
              [t('env'), config.env.length ? <code>{config.env.map((one) => one.split('=')[0]).join(', ')}</code> : null],
              [t('healthcheck'), words(config.healthcheck ?? undefined)],
            ]}
          />
        ) : (
          <span className="quiet">{t('configAfterScan')}</span>
        )}
      </Section>
      {labels.length > 0 && (
        <Section title={t('section.labels')}>
          <Facts items={labels.map(([name, value]) => [name, value])} />
        </Section>
      )}
    </>
  )
}

function Layers({ inventory }: { inventory: Inventory }) {
  const { t } = useTranslation('images')
  if (inventory.layers.length === 0) return <Empty title={t('noLayers')} />
  return (
    <ol className="layers">
      {inventory.layers.map((layer) => (
        <li key={layer.index}>
          <div className="layer-line">
            <b>{layer.index}</b>
            <code title={layer.created_by}>{layer.created_by || t('noInstruction')}</code>
            <span className="quiet">{layer.empty ? t('emptyLayer') : bytes(layer.size)}</span>
          </div>
          {layer.diff_id && (
            <small className="quiet">
              <Copyable text={layer.diff_id} short={layer.diff_id.slice(0, 19)} />
            </small>
          )}
        </li>
      ))}
    </ol>
  )
}

function Skipped({ inventory }: { inventory: Inventory }) {
  const { t } = useTranslation('images')
  return (
    <>
      <Alert type="warning" showIcon style={{ marginBottom: 10 }} title={t('skippedAbout')} />
      <ul className="layers">
        {inventory.skipped.map((one, place) => (
          <li key={place}>
            <code>{one.where}</code>
            <div className="quiet">{one.why}</div>
          </li>
        ))}
      </ul>
    </>
  )
}
