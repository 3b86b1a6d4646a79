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
  indicators?: { total: number; own: number; expired: number; sources: { name: string; entries: number; updated_at: string }[] }
}

export interface Indicator {
  id: string
  type: 'ip' | 'net' | 'domain' | 'sha256'
  value: string
  kind: string
  source: string
  confidence: number
  expires_at: string | null
  about: string
  own: boolean
  ended: boolean
  created_by: string
  created_at: string
}

/** What came of a list that was brought. */
export interface Brought {
  lists: { name: string; entries: number }[]
  entries: number
  /** Lines that are no indicator. */
  unread: number
}

/** Days after which a feed is called stale. */
export const STALE_DAYS = 7

export const ageOf = (feed: Feed) => Math.floor((Date.now() - Date.parse(feed.updated_at)) / 86_400_000)

/** What lists say an indicator stands for (intel/collect/observables.py). */
export const FEED_KINDS = ['c2', 'botnet', 'malware', 'phishing', 'ransomware', 'exploit', 'mining', 'tor', 'proxy', 'vpn', 'scanner', 'tunnel', 'paste', 'other']
