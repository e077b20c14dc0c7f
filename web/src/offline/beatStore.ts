/**
 * Heartbeats that could not be sent, kept over a closed page until there is a network again. They belong to the profile
 * that watched: another one's are never sent in its name.
 */
import type { Beat } from '../api/types'

const KEY = 'matinee-unsent-beats'
/** As many as one report takes; the latest are what counts. */
export const MOST_KEPT = 1000

interface Kept {
  profile: string
  beats: Beat[]
}

type Storage = Pick<globalThis.Storage, 'getItem' | 'setItem' | 'removeItem'>

export class BeatStore {
  /** Null until it is known who watches: nothing is kept in a name that may be wrong. */
  private profile: string | null = null

  constructor(private readonly storage: () => Storage) {}

  /** Who watches from here on. Empty: nobody in particular, this browser's own viewer. */
  belongTo(profile: string): void {
    this.profile = profile
  }

  keep(beats: readonly Beat[]): void {
    if (beats.length === 0 || this.profile === null) return
    const known = this.all()
    const names = new Set(known.map(nameOf))
    this.write([...known, ...beats.filter((beat) => !names.has(nameOf(beat)))].slice(-MOST_KEPT))
  }

  /** What is kept for whoever watches; nothing is taken away. */
  all(): Beat[] {
    try {
      const kept = JSON.parse(this.storage().getItem(KEY) ?? 'null') as Kept | null
      return kept !== null && kept.profile === this.profile && Array.isArray(kept.beats) ? kept.beats : []
    } catch {
      return []
    }
  }

  /** Those were sent. */
  sent(beats: readonly Beat[]): void {
    const gone = new Set(beats.map(nameOf))
    this.write(this.all().filter((beat) => !gone.has(nameOf(beat))))
  }

  forget(): void {
    try {
      this.storage().removeItem(KEY)
    } catch {
      // Nothing was kept either.
    }
  }

  private write(beats: Beat[]): void {
    if (this.profile === null) return
    try {
      if (beats.length === 0) this.storage().removeItem(KEY)
      else this.storage().setItem(KEY, JSON.stringify({ profile: this.profile, beats } satisfies Kept))
    } catch {
      // A full or forbidden storage: the page keeps them while it lives.
    }
  }
}

const nameOf = (beat: Beat): string => `${beat.session} ${beat.sequence}`

export const beatStore = new BeatStore(() => localStorage)
