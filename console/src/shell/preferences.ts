/** What one person likes on this browser: kept in localStorage, shared by all components. */
import { useSyncExternalStore } from 'react'

const changed = new EventTarget()

export function kept<T>(key: string, otherwise: T): T {
  try {
    const text = localStorage.getItem(`seawall.${key}`)
    return text === null ? otherwise : (JSON.parse(text) as T)
  } catch {
    return otherwise
  }
}

export function keep(key: string, value: unknown): void {
  try {
    localStorage.setItem(`seawall.${key}`, JSON.stringify(value))
  } catch {
    // A browser without storage forgets; nothing else depends on it.
  }
  changed.dispatchEvent(new Event('change'))
}

function subscribe(notice: () => void): () => void {
  const media = matchMedia('(prefers-color-scheme: dark)')
  changed.addEventListener('change', notice)
  media.addEventListener('change', notice)
  return () => {
    changed.removeEventListener('change', notice)
    media.removeEventListener('change', notice)
  }
}

export type Theme = 'light' | 'dark' | 'system'

// Kept as plain words, because public/theme.js reads it before anything else runs.
export function chosenTheme(): Theme {
  try {
    const word = localStorage.getItem('seawall.theme')
    return word === 'light' || word === 'dark' ? word : 'system'
  } catch {
    return 'system'
  }
}

export function chooseTheme(theme: Theme): void {
  try {
    localStorage.setItem('seawall.theme', theme)
  } catch {
    // see keep()
  }
  changed.dispatchEvent(new Event('change'))
}

const dark = () =>
  chosenTheme() === 'dark' || (chosenTheme() === 'system' && matchMedia('(prefers-color-scheme: dark)').matches)

export const useDark = () => useSyncExternalStore(subscribe, dark)
export const useTheme = () => useSyncExternalStore(subscribe, chosenTheme)
