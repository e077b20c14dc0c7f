/**
 * One film on its way in: the master and what comes with it, by the tus protocol (1.0).
 *
 * It survives a lost connection and a killed server (it asks how much is there and goes on), and a reload of the page:
 * the browser's storage remembers where the file was sent to, and the same file, chosen again, goes on from there. The
 * companions are sent as soon as the master has an address, beside it, because they name it.
 */
import { type DetailedError, type PreviousUpload, Upload, defaultOptions } from 'tus-js-client'
import { type Companion, companionMetadata, masterMetadata } from './companions'
import type { FilmWords } from './companions'
import { forget, fingerprintOf, idOf, rememberPlan, settle } from './interrupted'
import { type UploadEvent, type UploadState, after, failureWords, newUpload } from './uploadState'

export const UPLOADS = '/uploads'

/** One request carries this much, so that a proxy that gathers bodies loses no more. */
const CHUNK_BYTES = 64 * 1024 * 1024
/** About three minutes in all; each byte that arrives begins them anew. */
const RETRY_DELAYS_MS = [500, 1000, 2000, 4000, 8000, ...Array<number>(11).fill(15_000)]

interface Part {
  file: File
  upload: Upload
  sent: number
  done: boolean
}

let made = 0

export class FilmUpload {
  /** Tells it from others of this page. */
  readonly key = (made += 1)
  readonly name: string
  private state: UploadState
  private readonly listeners = new Set<() => void>()
  private readonly parts: Part[] = []
  private masterId = ''

  /** `words` describe a new upload; `previous` is one that was interrupted, whose words the service has already. */
  constructor(
    readonly master: File,
    private readonly companions: Companion[],
    words: FilmWords | null,
    private readonly previous: PreviousUpload | null,
  ) {
    this.name = words?.title ?? previous?.metadata.title ?? master.name
    this.state = newUpload(master.size + companions.reduce((sum, companion) => sum + companion.file.size, 0))
    const metadata = words ? masterMetadata(master, words, companions.length) : (previous?.metadata ?? {})
    const part = this.part(master, metadata, '')
    part.upload.options.onUploadUrlAvailable = () => this.accompany(idOf(part.upload.url ?? ''))
    if (previous) part.upload.resumeFromPreviousUpload(previous)
    part.upload.start()
  }

  readonly subscribe = (changed: () => void): (() => void) => {
    this.listeners.add(changed)
    return () => this.listeners.delete(changed)
  }

  readonly snapshot = (): UploadState => this.state

  /** The master's id at the service; empty before it has one. */
  get id(): string {
    return this.masterId
  }

  pause(): void {
    this.happen({ kind: 'paused' })
    for (const part of this.parts) if (!part.done) void part.upload.abort()
  }

  resume(): void {
    this.happen({ kind: 'resumed' })
    for (const part of this.parts) if (!part.done) part.upload.start()
  }

  /** Stops, and has the service throw away what came. */
  async abort(): Promise<void> {
    this.happen({ kind: 'aborted' })
    await Promise.allSettled(this.parts.map((part) => part.upload.abort(true)))
    await this.forgetAll()
  }

  private part(file: File, metadata: Record<string, string>, master: string): Part {
    const upload = new Upload(file, {
      endpoint: UPLOADS,
      metadata,
      chunkSize: CHUNK_BYTES,
      retryDelays: RETRY_DELAYS_MS,
      fingerprint: () => Promise.resolve(fingerprintOf(file, master)),
      // Until all of the film is there: an upload that has ended must not be begun again after a reload.
      removeFingerprintOnSuccess: false,
      onProgress: (sent) => {
        part.sent = sent
        this.happen({ kind: 'progress', sent: this.parts.reduce((sum, each) => sum + each.sent, 0), at: performance.now() })
      },
      onShouldRetry: (error) => {
        const status = error.originalResponse?.getStatus() ?? 0
        const passing = status === 0 || status === 409 || status === 423 || status === 429 || (status >= 500 && status !== 507)
        if (passing) this.happen({ kind: 'reconnecting', problem: failureWords(status, detailOf(error)).problem })
        return passing
      },
      onError: (error) => this.fail(error),
      onSuccess: () => this.arrived(part, master),
    })
    const part: Part = { file, upload, sent: 0, done: false }
    this.parts.push(part)
    return part
  }

  /** Sends the companions of the master with this id, those that did not arrive before. */
  private accompany(master: string): void {
    if (master === '' || master === this.masterId) return
    this.masterId = master
    for (const part of this.parts.splice(1)) void part.upload.abort()
    // An interrupted upload brings only those that are missing: they are planned already.
    if (!this.previous) rememberPlan(master, this.companions)
    for (const companion of this.companions) {
      const { upload } = this.part(companion.file, companionMetadata(companion, master), master)
      void upload.findPreviousUploads().then(([known]) => {
        if (known) upload.resumeFromPreviousUpload(known)
        if (this.state.phase === 'sending' || this.state.phase === 'reconnecting') upload.start()
      })
    }
    this.tell()
  }

  private arrived(part: Part, master: string): void {
    part.done = true
    part.sent = part.file.size
    if (master !== '') settle(master, part.file.name)
    if (this.parts.length <= this.companions.length || !this.parts.every((each) => each.done)) return
    this.happen({ kind: 'done' })
    void this.forgetAll()
  }

  private async forgetAll(): Promise<void> {
    forget(this.masterId)
    const storage = defaultOptions.urlStorage
    const known = await Promise.all(this.parts.map((part) => part.upload.findPreviousUploads()))
    await Promise.all(known.flat().map((upload) => storage.removeUpload(upload.urlStorageKey)))
  }

  private fail(error: Error | DetailedError): void {
    for (const part of this.parts) if (!part.done) void part.upload.abort()
    if (!('originalResponse' in error)) {
      const advice = 'Check that the file is still there and was not changed, then resume.'
      this.happen({ kind: 'failed', problem: `The file can’t be read: ${error.message}.`, advice })
      return
    }
    const status = error.originalResponse?.getStatus() ?? 0
    this.happen({ kind: 'failed', ...failureWords(status, detailOf(error)) })
  }

  private happen(event: UploadEvent): void {
    this.state = after(this.state, event)
    this.tell()
  }

  private tell(): void {
    for (const changed of this.listeners) changed()
  }
}

/** What the service said, where it did (RFC 9457, or plain text). */
function detailOf(error: DetailedError): string {
  const body = error.originalResponse?.getBody() ?? ''
  try {
    const problem = JSON.parse(body) as { detail?: string; title?: string }
    return problem.detail ?? problem.title ?? ''
  } catch {
    return body.length < 300 ? body.trim() : ''
  }
}
