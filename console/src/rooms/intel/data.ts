export interface Feed {
  name: string
  records: number
  updated_at: string
  source: string
}

export interface IntelStatus {
  feeds: Feed[]
  advisories: number
  kev: number
  /** Of the oldest feed; null before the first import. */
  age_days: number | null
}

/** Days after which a feed is called stale. */
export const STALE_DAYS = 7

export const ageOf = (feed: Feed) => Math.floor((Date.now() - Date.parse(feed.updated_at)) / 86_400_000)
