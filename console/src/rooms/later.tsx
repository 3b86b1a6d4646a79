import { lazy, type ComponentType, type ReactNode } from 'react'

/** A page that is loaded when somebody goes there: `later(() => import('./XPage'), 'XPage')`. */
export function later<N extends string>(load: () => Promise<Record<N, ComponentType>>, name: N): ReactNode {
  const Page: ComponentType = lazy(async () => ({ default: (await load())[name] as ComponentType }))
  return <Page />
}
