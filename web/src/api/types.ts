/**
 * What the gateway takes and answers, by the names that the application has for it. Every shape is made of the gateway's
 * own document (`make types`); none is written here.
 */
import type { components } from './generated'

type Schemas = components['schemas']

/** What may be left out of what is sent, and is always there in what is answered. */
type Whole<T> = T extends readonly (infer Each)[] ? Whole<Each>[] : T extends object ? { [Name in keyof T]-?: Whole<T[Name]> } : T

export type Problem = Schemas['Problem']

export type Money = Schemas['Money']

export type Account = Schemas['Account']
export type Profile = Schemas['Profile']
/** All of a profile but its id, which the service makes. */
export type ProfileWords = Omit<Profile, 'id'>
/** Who watches. In an `open` installation anyone may play, signed in or not. */
export type Me = Schemas['Me']
export type SignUpWords = Schemas['SignUp']
export type Device = Schemas['SignedInDevice']
export type DeviceCode = Schemas['DeviceCode']
export type Provider = Schemas['OpenIdProvider']

export type Plan = Schemas['Plan']
export type Subscription = Schemas['Subscription']
export type SubscriptionState = Schemas['SubscriptionState']
export type ChangePreview = Schemas['ChangePreview']
export type PaymentForm = Schemas['PaymentForm']
export type Invoice = Schemas['Invoice']

export type CardArtwork = Schemas['Artwork']
export type Card = Schemas['Card']
export type Row = Schemas['Row']
export type RowKind = Row['kind']
export type Home = Schemas['Home']
export type TitlePage = Schemas['TitlePage']
export type Credit = Schemas['Credit']
export type Season = Schemas['Season']
export type Episode = Schemas['Episode']
export type NextTitle = Schemas['Next']
export type Thumb = Schemas['Thumb']
export type SearchHit = Schemas['Hit']
export type SearchAnswer = Schemas['Search']

export type Title = Schemas['TitleInList']
export type PlayedTitle = Schemas['PlayedTitle']
export type PlaySession = Schemas['PlaySession']
export type Watched = Schemas['Watched']
export type HeartbeatReport = Schemas['Heartbeats']
export type Beat = Schemas['Beat']
export type BeatState = Schemas['PlayState']

export type Workflow = Schemas['Workflow']
export type WorkflowState = Schemas['WorkflowState']
export type Task = Schemas['Task']
export type TaskState = Schemas['TaskState']
export type UnfinishedUpload = Schemas['Upload']
export type Inspection = Schemas['Inspection']
export type InspectedVideo = Schemas['InspectedVideo']
export type InspectedAudio = Schemas['InspectedAudio']
export type InspectedText = Schemas['InspectedText']

export type CatalogTitle = Whole<Schemas['StudioTitle']>
export type TitleKind = Schemas['TitleKind']
export type LicenceWindow = Whole<Schemas['LicenceWindow']>
export type CatalogCredit = Whole<Schemas['StudioCredit']>
export type MaturityRating = Whole<Schemas['MaturityRating']>
export type LocalizedWords = Whole<Schemas['LocalizedWords']>
export type CatalogArtwork = Whole<Schemas['StudioArtwork']>
export type Person = Whole<Schemas['Person']>
export type ImportAnswer = Schemas['Import']

export type StudioAccount = Schemas['StudioAccount']
export type StudioPlan = Whole<Schemas['StudioPlan']>
export type Ledger = Schemas['Ledger']

export type TraceSummary = Schemas['TraceSummary']
export type Span = Schemas['Span']
export type Quality = Schemas['Quality']
export type QualityRow = Schemas['QualityRow']
export type QualityPoint = Schemas['QualityPoint']
export type Model = Schemas['Model']
export type SearchIndex = Schemas['SearchIndex']
