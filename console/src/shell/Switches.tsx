import { DesktopOutlined, GlobalOutlined, MoonOutlined, SunOutlined } from '@ant-design/icons'
import { Button, Dropdown } from 'antd'
import { useTranslation } from 'react-i18next'
import { speak, type Language } from './i18n'
import { chooseTheme, useTheme, type Theme } from './preferences'

const LANGUAGES: Record<Language, string> = { en: 'English', zh: '中文' }
const THEMES: Record<Theme, React.ReactNode> = { light: <SunOutlined />, dark: <MoonOutlined />, system: <DesktopOutlined /> }

export function LanguageSwitch() {
  const { t, i18n } = useTranslation()
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        selectedKeys: [i18n.language],
        items: Object.entries(LANGUAGES).map(([key, label]) => ({ key, label })),
        onClick: ({ key }) => speak(key as Language),
      }}
    >
      <Button type="text" icon={<GlobalOutlined />} aria-label={t('language')} data-test="language">
        {LANGUAGES[i18n.language === 'zh' ? 'zh' : 'en']}
      </Button>
    </Dropdown>
  )
}

export function ThemeSwitch() {
  const { t } = useTranslation()
  const theme = useTheme()
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        selectedKeys: [theme],
        items: (Object.keys(THEMES) as Theme[]).map((key) => ({ key, icon: THEMES[key], label: t(`theme.${key}`) })),
        onClick: ({ key }) => chooseTheme(key as Theme),
      }}
    >
      <Button type="text" icon={THEMES[theme]} aria-label={t('theme.title')} data-test="theme" />
    </Dropdown>
  )
}
