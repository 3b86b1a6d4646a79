/** Words in two languages: one file a room and language, the room's name is the namespace. */
import i18next from 'i18next'
import { initReactI18next } from 'react-i18next'
import type { Bilingual } from '@/api/client'

type Words = { default: Record<string, unknown> }
const files = import.meta.glob<Words>(['../rooms/*/{en,zh}.json', './{en,zh}.json'], { eager: true })

const resources: Record<string, Record<string, Record<string, unknown>>> = { en: {}, zh: {} }
for (const [path, words] of Object.entries(files)) {
  const [, room, language] = /(?:rooms\/(\w+)|\.)\/(en|zh)\.json$/.exec(path) ?? []
  if (language) resources[language]![room ?? 'shell'] = words.default
}

export type Language = 'en' | 'zh'

function first(): Language {
  try {
    const word = localStorage.getItem('seawall.language')
    if (word === 'en' || word === 'zh') return word
  } catch {
    // then the browser's own
  }
  return navigator.language.startsWith('zh') ? 'zh' : 'en'
}

void i18next.use(initReactI18next).init({
  resources: resources as never,
  lng: first(),
  fallbackLng: 'en',
  defaultNS: 'shell',
  fallbackNS: 'shell',
  interpolation: { escapeValue: false },
  returnNull: false,
})
document.documentElement.lang = i18next.language === 'zh' ? 'zh-CN' : 'en'

export function speak(language: Language): void {
  try {
    localStorage.setItem('seawall.language', language)
  } catch {
    // then only for this visit
  }
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en'
  void i18next.changeLanguage(language)
}

export const language = (): Language => (i18next.language === 'zh' ? 'zh' : 'en')

/** A text that came in both languages; English where the other is missing. */
export const say = (text: Partial<Bilingual> | undefined) => (text && (text[language()] || text.en)) ?? ''

/** For numbers and dates: the reader's own region where it speaks the language that was chosen. */
export const locale = () => (navigator.language.startsWith(language()) ? navigator.language : language() === 'zh' ? 'zh-CN' : 'en-GB')

export const number = (value: number) => new Intl.NumberFormat(locale()).format(value)

export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–'
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  let size = value
  let unit = 0
  for (; size >= 1000 && unit < units.length - 1; unit++) size /= 1000
  return `${size >= 100 || unit === 0 ? size.toFixed(0) : size.toFixed(1)} ${units[unit]}`
}

export const percent = (share: number | null | undefined, digits = 0) =>
  share === null || share === undefined ? '–' : `${(share * 100).toFixed(digits)} %`
