import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link, useParams } from 'react-router'
import { get } from '@/api/client'
import { Copyable } from '@/parts/Copyable'
import { Drawer } from '@/parts/Drawer'
import { EntityLink } from '@/parts/EntityLink'
import { Facts, Section } from '@/parts/Facts'
import { Time } from '@/parts/Time'
import { bytes } from '@/shell/i18n'
import type { Process } from './data'

export function ProcessDrawer() {
  const { id = '' } = useParams()
  const { t } = useTranslation('assets')
  const query = useQuery({ queryKey: ['processes', 'one', id], queryFn: ({ signal }) => get<Process>(`/processes/${encodeURIComponent(id)}`, signal) })
  const found = query.data
  return (
    <Drawer list="/processes" query={query} title={found ? `${found.name} · PID ${found.pid}` : t('column.process')}>
      {found && (
        <>
          <Section title={t('command')}>
            <Copyable text={found.args.join(' ') || found.exe} block />
          </Section>
          <Section title={t('section.runs')}>
            <Facts
              items={[
                [t('program'), <code key="e">{found.exe || '–'}</code>],
                [t('workdir'), <code key="w">{found.cwd || '–'}</code>],
                [t('column.user'), `${found.user} (${found.uid})`],
                [t('pidInside'), found.container_id ? found.container_pid : undefined],
                [t('parent'), <Link key="p" to={`/processes?q=${found.ppid}`}>{found.ppid}</Link>],
                [t('memory'), bytes(found.memory)],
                [t('started'), <Time key="s" at={found.started_at} />],
                [t('column.container'), found.container_id ? <EntityLink key="c" kind="container" id={found.container_id}>{found.container_name}</EntityLink> : t('onHost')],
                [t('column.host'), <EntityLink key="h" kind="host" id={found.host_id}>{found.host_name}</EntityLink>],
              ]}
            />
          </Section>
        </>
      )}
    </Drawer>
  )
}
