/** The pages of the rules: those in force, their groups, the files that people wrote. */
import { Tabs } from 'antd'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'

export function RuleTabs({ here }: { here: '/rules' | '/rule-groups' | '/user-rules' | '/rule-files' }) {
  const { t } = useTranslation('runtime')
  const navigate = useNavigate()
  return (
    <Tabs
      className="page-tabs"
      activeKey={here}
      onChange={(place) => void navigate(place)}
      items={[
        { key: '/rules', label: t('tab.inForce') },
        { key: '/rule-groups', label: t('tab.groups') },
        { key: '/user-rules', label: t('tab.own') },
        { key: '/rule-files', label: t('tab.files') },
      ]}
    />
  )
}
