import { theme as antd, type ThemeConfig } from 'antd'

const DARK = {
  colorBgContainer: '#131c21',
  colorBgElevated: '#1a262d',
  colorBorder: '#2d3c45',
  colorBorderSecondary: '#26343c',
}

/** Quiet surfaces, dense rows; colour is kept for what matters. */
export function themed(dark: boolean): ThemeConfig {
  return {
    algorithm: dark ? antd.darkAlgorithm : antd.defaultAlgorithm,
    cssVar: { key: 'seawall' },
    token: {
      colorPrimary: dark ? '#4fb3d1' : '#0b6a8c',
      colorLink: dark ? '#6cc4df' : '#0b6a8c',
      colorInfo: dark ? '#4fb3d1' : '#0b6a8c',
      ...(dark ? {} : { colorInfoBg: '#ecf5f8', colorInfoBorder: '#bcd9e4', colorError: '#c4202c' }),
      colorBgLayout: dark ? '#0d1418' : '#f3f6f8',
      ...(dark ? DARK : { colorTextBase: '#13222b', colorBorderSecondary: '#dfe6ea' }),
      borderRadius: 6,
      fontSize: 13,
      fontFamily:
        "Inter, 'Segoe UI', system-ui, -apple-system, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif",
      fontFamilyCode: "'JetBrains Mono', 'SFMono-Regular', Consolas, 'Liberation Mono', monospace",
    },
    components: {
      Table: { cellPaddingBlockSM: 7, headerBg: 'transparent', headerSplitColor: 'transparent', headerSortActiveBg: 'transparent', bodySortBg: 'transparent' },
      Layout: { siderBg: dark ? '#0a1013' : '#0c2733', headerBg: 'transparent', headerHeight: 52, headerPadding: '0 20px' },
      Menu: { darkItemBg: 'transparent', darkSubMenuItemBg: 'transparent', itemHeight: 28, itemMarginBlock: 1, darkItemSelectedBg: 'rgba(255,255,255,.12)' },
      Drawer: { colorBgElevated: dark ? '#131c21' : '#ffffff' },
    },
  }
}
