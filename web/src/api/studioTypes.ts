/** What the gateway answers to the studio: the catalogue, accounts, money, traces, quality and models. Times are RFC 3339. */
import type { Money } from './viewerTypes'

export type TitleKind = 'movie' | 'series' | 'episode'

export interface LicenceWindow {
  /** ISO 3166-1 alpha-2, or "*": everywhere. */
  territory: string
  from: string | null
  /** Not included; null: open. */
  until: string | null
}
export interface CatalogCredit {
  person: string
  name: string
  job: string
  character: string
}
export interface MaturityRating {
  territory: string
  system: string
  label: string
  age: number
}
export interface LocalizedWords {
  language: string
  name: string
  description: string
}
export interface CatalogArtwork {
  kind: string
  colour: string
  width: number
  height: number
  language?: string
}

/** A title as the studio edits it. */
export interface CatalogTitle {
  id: string
  name: string
  description: string
  credits: string
  license: string
  kind: TitleKind
  series: string
  season: number
  episode: number
  originalName: string
  /** 0: not known. */
  year: number
  genres: string[]
  people: CatalogCredit[]
  maturityAge: number
  ratings: MaturityRating[]
  originalLanguage: string
  audioLanguages: string[]
  subtitleLanguages: string[]
  localized: LocalizedWords[]
  windows: LicenceWindow[]
  artworks: CatalogArtwork[]
  /** Seconds; 0: not known. */
  introStart: number
  introEnd: number
  creditsStart: number
  /** 0: a new one. A change is taken only at the revision it was made from. */
  revision: number
  published?: boolean
  version?: string | null
  durationSeconds?: number
}

export interface Person {
  id: string
  name: string
  biography: string
  /** "1968-05-12", or empty. */
  born: string
  revision: number
}

export interface ImportAnswer {
  added: number
  changed: number
  unchanged: number
  problems: { line: number; field: string; reason: string }[]
}

export interface StudioAccount {
  id: string
  email: string
  emailVerified: boolean
  territory: string
  roles: string[]
  created?: string | null
}

export interface StudioPlan {
  id: string
  name: string
  prices: { territory: string; amount: Money }[]
  maxHeight: number
  streams: number
  trialDays: number
  offered: boolean
  rank: number
  revision: number
}

export interface StudioInvoice {
  id: string
  number: string
  issued: string | null
  total: Money
  paid?: Money | null
  refunded?: Money | null
  state: string
}

export interface Ledger {
  entries: { transaction: string; ledgerAccount: string; amount: Money; at: string | null; reason: string }[]
  balances: { ledgerAccount: string; amount: Money }[]
  /** One a currency; always 0. */
  sums: Money[]
}

export interface TraceSummary {
  trace: string
  name: string
  service: string
  start: string | null
  durationMs: number
  spans: number
  errors: number
}
export interface Span {
  id: string
  parent: string
  name: string
  service: string
  kind: string
  startUs: number
  durationUs: number
  error: string
  tags: Record<string, string>
}

export interface QualityRow {
  /** Empty: all. */
  group: string
  playing: number
  plays: number
  startP50Ms: number
  startP95Ms: number
  stallRatio: number
  meanBitsPerSecond: number
  errors: number
}
export interface QualityPoint {
  at: string | null
  playing: number
  startP95Ms: number
  stallRatio: number
  errors: number
}
export interface Quality {
  rows: QualityRow[]
  points: QualityPoint[]
}

export interface Model {
  id: string
  trained: string | null
  factors: number
  profiles: number
  titles: number
  plays: number
  recallAt20: number
  ndcgAt100: number
  inUse: boolean
  seconds: number
}

export interface SearchIndex {
  index: string
  titles: number
  nextEvent?: number
}
