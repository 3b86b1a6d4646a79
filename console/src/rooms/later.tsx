import { lazy, type ComponentType, type ReactNode } from 'react'

const TRIES = 4
const PAUSE_MS = 400

/**
 * A page that is loaded when somebody goes there: `later(() => import('./XPage'), 'XPage')`. A connection that stumbles
 * meanwhile (a network that changes drops what is under way) is tried again before the page is called broken.
 */
export function later<N extends string>(load: () => Promise<Record<N, ComponentType>>, name: N): ReactNode {
  const Page: ComponentType = lazy(async () => {
    for (let count = 1; ; count++) {
      const found = await load().catch((error: unknown) => {
        if (count >= TRIES) throw error
        return undefined
      })
      if (found?.[name]) return { default: found[name] as ComponentType }
      if (count >= TRIES) throw new Error(`the page ${name} does not load`)
      await new Promise((resolve) => window.setTimeout(resolve, PAUSE_MS * count))
    }
  })
  return <Page />
}
