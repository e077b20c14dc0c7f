/** Uploads that a reload interrupted: what the browser's storage knows of them, and whether a chosen file is the same. */
import { type PreviousUpload, Upload, defaultOptions } from 'tus-js-client'
import { type Companion, type CompanionKind, kindOf } from './companions'

/** A file that came with a master, as it was planned. */
export interface PlannedCompanion {
  name: string
  size: number
  kind: CompanionKind
  language: string
  label: string
  arrived: boolean
}

/** A master that was begun here and is not whole. */
export interface Interrupted {
  id: string
  name: string
  title: string
  size: number
  previous: PreviousUpload
  /** Companions that did not arrive. */
  missing: PlannedCompanion[]
}

const PREFIX = 'matinee'
const PLAN = `${PREFIX}-companions:`

/** Tells files apart as well as a browser can without reading them. `master` is that of a companion, or empty. */
export const fingerprintOf = (file: Pick<File, 'name' | 'size' | 'lastModified'>, master: string): string =>
  [PREFIX, master, file.name, file.size, file.lastModified].map(encodeURIComponent).join('/')

/** The id of an upload: the last part of its address. */
export const idOf = (address: string): string => address.split(/[?#]/)[0]?.split('/').filter(Boolean).at(-1) ?? ''

function plan(master: string): PlannedCompanion[] {
  try {
    return JSON.parse(localStorage.getItem(PLAN + master) ?? '[]') as PlannedCompanion[]
  } catch {
    return []
  }
}

/** Remembers what comes with a master, so that it can be asked for again. */
export function rememberPlan(master: string, companions: readonly Companion[]): void {
  const planned = companions.map(({ file, kind, language, label }) => ({ name: file.name, size: file.size, kind, language, label, arrived: false }))
  if (planned.length > 0) localStorage.setItem(PLAN + master, JSON.stringify(planned))
}

/** Remembers that a companion arrived. */
export function settle(master: string, name: string): void {
  const planned = plan(master).map((each) => (each.name === name ? { ...each, arrived: true } : each))
  if (planned.length > 0) localStorage.setItem(PLAN + master, JSON.stringify(planned))
}

export function forget(master: string): void {
  localStorage.removeItem(PLAN + master)
}

/** The uploads that this browser began and did not end, the newest first. */
export async function interruptedUploads(): Promise<Interrupted[]> {
  const known = await defaultOptions.urlStorage.findAllUploads()
  return known
    .filter(({ uploadUrl, urlStorageKey }) => uploadUrl !== null && urlStorageKey.startsWith(`tus::${PREFIX}//`))
    .sort((a, b) => Date.parse(b.creationTime) - Date.parse(a.creationTime))
    .map((previous) => {
      const id = idOf(previous.uploadUrl ?? '')
      const name = previous.metadata.filename ?? ''
      const missing = plan(id).filter((each) => !each.arrived)
      return { id, name, title: previous.metadata.title ?? name, size: previous.size ?? 0, previous, missing }
    })
}

/** The files to go on with, or what is wrong with the choice. */
export type Match = { master: File; companions: Companion[] } | { wrong: string }

/** Finds the interrupted upload's own files among the chosen ones. */
export function match(upload: Pick<Interrupted, 'name' | 'size' | 'missing' | 'previous'>, files: readonly File[]): Match {
  const master = files.find((file) => file.name === upload.name && file.size === upload.size)
  if (!master) {
    const other = files.find((file) => kindOf(file.name) === 'master')
    const size = `${upload.size.toLocaleString('en')} bytes`
    if (other?.name === upload.name) return { wrong: `This ${other.name} has ${other.size.toLocaleString('en')} bytes; the one that was begun has ${size}. Choose the same file.` }
    return { wrong: `Choose ${upload.name} (${size}), the file that was begun.` }
  }
  // The same name and size, but changed since: its first part at the service would not fit the rest.
  if (!upload.previous.urlStorageKey.startsWith(`tus::${fingerprintOf(master, '')}::`))
    return { wrong: `${master.name} was changed since the upload began. Abort it and upload the new one.` }
  const companions: Companion[] = []
  for (const { name, size, kind, language, label } of upload.missing) {
    const file = files.find((each) => each.name === name && each.size === size)
    if (!file) return { wrong: `Choose ${name} too, together with ${master.name}: it did not arrive either.` }
    companions.push({ file, kind, language, label })
  }
  return { master, companions }
}

/** Has the service throw an unfinished upload away. Nothing is wrong when it did so already. */
export async function discard(id: string): Promise<void> {
  const known = await defaultOptions.urlStorage.findAllUploads()
  const gone = (error: unknown): void => {
    const status = (error as { originalResponse?: { getStatus: () => number } | null }).originalResponse?.getStatus()
    if (status !== 404 && status !== 410) throw error
  }
  await Upload.terminate(`/uploads/${encodeURIComponent(id)}`, {}).catch(gone)
  const own = known.filter(({ uploadUrl, metadata }) => idOf(uploadUrl ?? '') === id || metadata.for === id)
  await Promise.all(own.map((each) => defaultOptions.urlStorage.removeUpload(each.urlStorageKey)))
  forget(id)
}
