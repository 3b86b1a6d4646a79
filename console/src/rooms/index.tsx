/** The rooms of the console, in the order of the menu: one folder and one line each. */
import type { ReactNode } from 'react'
import type { RouteObject } from 'react-router'
import type { Overview } from './overview/data'
import { agents } from './agents'
import { assets } from './assets'
import { baseline } from './baseline'
import { images } from './images'
import { intel } from './intel'
import { overview } from './overview'
import { runtime } from './runtime'

export interface PageEntry {
  /** Where it is; also the place in the menu. */
  path: string
  element: ReactNode
  /** What opens beside it: usually `:id` with the drawer. */
  children?: RouteObject[]
  /** Key of its name in the room's words; without one it is not in the menu. */
  menu?: string
  icon?: ReactNode
  /** The number of things there that need somebody. */
  count?: (overview: Overview) => number
}

export interface Room {
  /** Name of its folder, and of its words. */
  id: string
  /** Whether its pages stand under the room's name in the menu. */
  grouped: boolean
  pages: PageEntry[]
}

export const ROOMS: Room[] = [overview, assets, images, runtime, baseline, agents, intel]
