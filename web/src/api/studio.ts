/** The studio's questions to the gateway. */
import { ask, get, idempotencyKey, part, send } from './ask'
import { listOf } from './account'
import type {
  CatalogTitle, ImportAnswer, Ledger, LicenceWindow, Model, Money, Person, Quality, SearchIndex, Span, StudioAccount, Invoice, StudioPlan, TraceSummary,
} from './types'

const TITLES = '/api/studio/catalog/titles'

/** Answers leave out what is empty; an editor wants every field. */
export const EMPTY_TITLE: CatalogTitle = {
  id: '', name: '', description: '', credits: '', license: '', kind: 'movie', series: '', season: 0, episode: 0, originalName: '', year: 0, genres: [], people: [],
  maturityAge: 0, ratings: [], originalLanguage: '', audioLanguages: [], subtitleLanguages: [], localized: [], windows: [], artworks: [], introStart: 0, introEnd: 0,
  creditsStart: 0, durationSeconds: 0, artwork: null, version: null, published: false, publishedAt: null, createdAt: null, revision: 0,
}

/** A title with every field there. */
export function wholeTitle(answer: Partial<CatalogTitle>): CatalogTitle {
  const known = Object.fromEntries(Object.entries<unknown>({ ...answer }).filter(([, value]) => value !== null && value !== undefined)) as Partial<CatalogTitle>
  return { ...EMPTY_TITLE, ...known }
}

export const listCatalog = async (signal?: AbortSignal): Promise<CatalogTitle[]> => listOf<Partial<CatalogTitle>>(await get(TITLES, signal), 'titles').map(wholeTitle)
export const getCatalogTitle = async (id: string, signal?: AbortSignal): Promise<CatalogTitle> => wholeTitle(await get(`${TITLES}/${part(id)}`, signal))
/** Of a title, what is kept apart from its words. */
const MADE: readonly string[] = ['artworks', 'windows', 'artwork', 'published', 'publishedAt', 'createdAt', 'version', 'durationSeconds']
/** Refused (409) where somebody changed it since `revision`. */
export const putCatalogTitle = async (title: CatalogTitle): Promise<CatalogTitle> => {
  // What the service makes of it is not told to the service.
  const words = Object.fromEntries(Object.entries(title).filter(([name]) => !MADE.includes(name)))
  return wholeTitle(await send('PUT', `${TITLES}/${part(title.id)}`, words))
}
export const deleteCatalogTitle = (id: string, revision: number): Promise<void> => ask(`${TITLES}/${part(id)}?revision=${revision}`, { method: 'DELETE' })
export const putWindows = async (id: string, revision: number, windows: LicenceWindow[]): Promise<CatalogTitle> =>
  wholeTitle(await send('PUT', `${TITLES}/${part(id)}/windows`, { revision, windows }))
export const putArtwork = async (id: string, kind: string, image: File): Promise<CatalogTitle> =>
  wholeTitle(await ask(`${TITLES}/${part(id)}/artwork/${part(kind)}`, { method: 'PUT', headers: { 'content-type': image.type === '' ? 'application/octet-stream' : image.type }, body: image }))

export const listPeople = async (signal?: AbortSignal): Promise<Person[]> => listOf(await get('/api/studio/catalog/people', signal), 'people')
export const putPerson = (person: Person): Promise<Person> => send('PUT', `/api/studio/catalog/people/${part(person.id)}`, person)

/** With `dry`, only says what would happen. */
export const importCatalog = (format: string, body: Blob, dry: boolean): Promise<ImportAnswer> =>
  ask(`/api/studio/catalog/import?format=${part(format)}${dry ? '&dryRun=true' : ''}`, { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body })
export const exportAddress = (format: string): string => `/api/studio/catalog/export?format=${part(format)}`

export const findAccounts = async (q: string, signal?: AbortSignal): Promise<StudioAccount[]> =>
  listOf(await get(`/api/studio/accounts?q=${part(q)}`, signal), 'accounts')
export const setRoles = (id: string, roles: string[]): Promise<StudioAccount> => send('PUT', `/api/studio/accounts/${part(id)}/roles`, { roles })
export const listAccountInvoices = async (id: string, signal?: AbortSignal): Promise<Invoice[]> =>
  listOf(await get(`/api/studio/accounts/${part(id)}/invoices`, signal), 'invoices')
/** `key` stays the same while one refund is tried again. */
export const refund = (invoice: string, amount: Money, reason: string, key: string): Promise<Invoice> =>
  send('POST', `/api/studio/invoices/${part(invoice)}/refund`, { amount, reason }, { 'idempotency-key': key })

export const listStudioPlans = async (signal?: AbortSignal): Promise<StudioPlan[]> =>
  listOf<StudioPlan>(await get('/api/studio/plans', signal), 'plans').sort((a, b) => a.rank - b.rank)
export const putPlan = (plan: StudioPlan): Promise<StudioPlan> => send('PUT', '/api/studio/plans', plan)

export async function getLedger(account: string, after: string, signal?: AbortSignal): Promise<Ledger> {
  const parameters = new URLSearchParams(Object.entries({ account, after }).filter(([, value]) => value !== ''))
  const ledger = await get<Partial<Ledger>>(`/api/studio/ledger?${parameters.toString()}`, signal)
  return { entries: ledger.entries ?? [], balances: ledger.balances ?? [], sums: ledger.sums ?? [] }
}

export interface TraceWords {
  service: string
  name: string
  minDurationMs: string
  errors: boolean
}
export async function listTraces({ service, name, minDurationMs, errors }: TraceWords, signal?: AbortSignal): Promise<TraceSummary[]> {
  const filled = Object.entries({ service, name, minDurationMs, errors: errors ? 'true' : '' }).filter(([, value]) => value !== '')
  return listOf(await get(`/api/studio/traces?${new URLSearchParams([['limit', '100'], ...filled]).toString()}`, signal), 'traces')
}
export const getSpans = async (trace: string, signal?: AbortSignal): Promise<Span[]> => listOf(await get(`/api/studio/traces/${part(trace)}`, signal), 'spans')

export async function getQuality(by: string, windowSeconds: number, signal?: AbortSignal): Promise<Quality> {
  const answer = await get<unknown>(`/api/studio/quality?by=${part(by)}&window=${windowSeconds}`, signal)
  return { rows: listOf(answer, 'rows'), points: listOf((answer as { points?: unknown } | null)?.points, 'points') }
}

export const listModels = async (signal?: AbortSignal): Promise<Model[]> => listOf(await get('/api/studio/models', signal), 'models')
export const trainModel = (): Promise<Model> => send('POST', '/api/studio/models', {})
export const applyModel = (id: string): Promise<Model> => send('POST', '/api/studio/models', { use: id })

export const getSearchIndex = (signal?: AbortSignal): Promise<SearchIndex> => get('/api/studio/search', signal)
export const rebuildSearch = (): Promise<SearchIndex> => send('POST', '/api/studio/search', {})

export { idempotencyKey }
