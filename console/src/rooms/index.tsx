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
import { protection, runtime } from './runtime'

export interface PageEntry {
  /** Where it is; also the place in the menu. */
  path: string
  element: ReactNode
  /** What opens beside it: usually `:id` with the drawer. */
  children?: RouteObject[]
  /** Key of its name in the room's words; without one it is not in the menu. */
  menu?: string
  icon?: ReactNode
  /** What the menu's link asks for: `?state=new`. */
  search?: string
  /** The page in the menu that stands for this one, which is not there itself. */
  within?: string
  /** The number of things there that need somebody. */
  count?: (overview: Overview) => number
}

export interface Room {
  /** Name of its folder, and of its words. */
  id: string
  /** Key of the name that its pages stand under in the menu; `room` when it has one group only. */
  title?: string
  /** Whether its pages stand under the room's name in the menu. */
  grouped: boolean
  pages: PageEntry[]
}

export const ROOMS: Room[] = [overview, assets, images, runtime, protection, baseline, agents, intel]
