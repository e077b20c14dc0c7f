/** What the gateway answers to a viewer's pages. Times are RFC 3339 in UTC, money is in the currency's minor unit. */

export interface Money {
  minor: number
  /** ISO 4217: "EUR". */
  currency: string
}

export interface Account {
  id: string
  email: string
  emailVerified: boolean
  /** ISO 3166-1 alpha-2. */
  territory: string
  /** BCP 47. */
  language: string
  /** "studio", "support", "admin". */
  roles: string[]
  hasPassword?: boolean
}

export interface Profile {
  id: string
  name: string
  avatar: string
  kids: boolean
  /** Titles for an older age are hidden; 0: no limit. */
  maturityLimit: number
  language: string
  audioLanguage: string
  /** Empty: no subtitles. */
  subtitleLanguage: string
  autoplayNext: boolean
}
export type ProfileWords = Omit<Profile, 'id'>

export type SubscriptionState = 'trialing' | 'active' | 'past_due' | 'ended'

/** Who watches. In an `open` installation anyone may play, signed in or not. */
export interface Me {
  signedIn: boolean
  mode: 'members' | 'open'
  account: Account | null
  profiles: Profile[]
  profile: Profile | null
  subscription: { state: SubscriptionState; plan: string; until: string | null } | null
  territory: string
}

export interface CardArtwork {
  /** 2:3 */
  poster?: string | null
  /** 16:9 */
  backdrop?: string | null
  /** "#rrggbb", to show until it is there. */
  colour?: string | null
}

export interface Card {
  id: string
  name: string
  kind: 'movie' | 'series' | 'episode'
  year?: number | null
  maturityAge?: number | null
  durationSeconds?: number | null
  artwork?: CardArtwork | null
  /** 0 to 1. */
  progress?: number | null
  resumeSeconds?: number | null
  /** Percent; absent when ratings do not answer. */
  score?: number | null
  description?: string | null
}

export type RowKind = 'continue' | 'top' | 'trending' | 'because' | 'new' | 'genre' | 'list' | 'for-you'

export interface Row {
  id: string
  kind: RowKind
  of?: string | null
  /** The heading, in the profile's language. */
  title: string
  items: Card[]
}

export interface Home {
  profile?: Profile | null
  rows: Row[]
  /** The fallback answered. */
  stale?: boolean
}

export interface Episode extends Card {
  episode: number
}
export interface Season {
  season: number
  episodes: Episode[]
}
export interface Credit {
  id: string
  name: string
  job: string
  character?: string
}
export type Thumb = 'up' | 'down' | 'love' | 'none'

export interface TitlePage {
  id: string
  kind: 'movie' | 'series' | 'episode'
  name: string
  originalName?: string | null
  description: string
  year?: number | null
  genres: { id: string; name: string }[]
  people: Credit[]
  maturityAge?: number | null
  ratingLabel?: string | null
  audioLanguages: string[]
  subtitleLanguages: string[]
  durationSeconds: number
  artwork: CardArtwork
  score?: number | null
  thumb?: Thumb | null
  listed?: boolean | null
  playable: boolean
  notPlayable?: { code: string; message: string } | null
  resumeSeconds?: number | null
  /** Who made it; shown wherever the title is. */
  credits: string
  /** Of the work: "CC BY 3.0". */
  license: string
  similar: Card[]
  seasons?: Season[] | null
  /** Of an episode: what follows. */
  next?: NextTitle | null
  /** Of an episode: its series. */
  series?: { id: string; name: string } | null
  season?: number | null
  episode?: number | null
  /** Seconds. */
  introStart?: number | null
  introEnd?: number | null
  creditsStart?: number | null
}

export interface NextTitle {
  title: string
  name?: string | null
  season?: number | null
  episode?: number | null
  artwork?: CardArtwork | null
}

export interface SearchHit extends Card {
  /** Why it was found: "name", "person", "genre", "description". */
  matched?: string | null
  matchedText?: string | null
}
export interface SearchAnswer {
  query: string
  /** What was understood where a word was misspelt. */
  corrected?: string | null
  hits: SearchHit[]
  people: { id: string; name: string; titles: number }[]
  genres: (string | { id: string; name: string })[]
  total: number
}

export interface Device {
  id: string
  name: string
  kind: string
  signedInAt?: string | null
  lastSeenAt?: string | null
  current?: boolean
}

export interface Plan {
  id: string
  name: string
  /** A month, tax included, in the viewer's territory. */
  price: Money | null
  maxHeight: number
  streams: number
  trialDays: number
  rank: number
}

export interface Subscription {
  id: string
  plan: string
  state: SubscriptionState
  price: Money
  periodStart: string | null
  periodEnd: string | null
  trialEnd: string | null
  cancelAtPeriodEnd: boolean
  nextPlan: string | null
  paymentMethod: { provider: string; label: string } | null
}

export interface ChangePreview {
  chargeNow: Money
  newPrice: Money
  effective: string | null
}

export interface Invoice {
  id: string
  number: string
  issued: string | null
  total: Money
  refunded?: Money | null
  /** "open", "paid", "void", "refunded". */
  state: string
}

export interface DeviceCode {
  device_code: string
  user_code: string
  verification_uri?: string
  expires_in: number
  interval: number
}
