import { theme as antd, type ThemeConfig } from 'antd'

/** Quiet surfaces, dense rows; colour is kept for what matters. */
export function themed(dark: boolean): ThemeConfig {
  return {
    algorithm: dark ? antd.darkAlgorithm : antd.defaultAlgorithm,
    cssVar: { key: 'seawall' },
    token: {
      colorPrimary: dark ? '#4fb3d1' : '#0b6a8c',
      colorLink: dark ? '#6cc4df' : '#0b6a8c',
      colorInfo: dark ? '#4fb3d1' : '#0b6a8c',
      colorBgLayout: dark ? '#0d1418' : '#f3f6f8',
      ...(dark ? { colorBgBase: '#131c21' } : { colorTextBase: '#13222b' }),
      borderRadius: 6,
      fontSize: 13,
      fontFamily:
        "Inter, 'Segoe UI', system-ui, -apple-system, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif",
      fontFamilyCode: "'JetBrains Mono', 'SFMono-Regular', Consolas, 'Liberation Mono', monospace",
    },
    components: {
      Table: { cellPaddingBlockSM: 7, headerBg: 'transparent', headerSplitColor: 'transparent' },
      Layout: { siderBg: dark ? '#0a1013' : '#0c2733', headerBg: 'transparent', headerHeight: 52, headerPadding: '0 20px' },
      Menu: { darkItemBg: 'transparent', darkSubMenuItemBg: 'transparent', itemHeight: 36, darkItemSelectedBg: 'rgba(255,255,255,.12)' },
      Card: { paddingLG: 16 },
    },
  }
}
