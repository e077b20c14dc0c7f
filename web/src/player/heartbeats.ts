/**
 * Tells the service where somebody is in a film: every ten seconds while it plays, and at each change. What could not be
 * sent is kept, beyond the page where that can be, and sent with the next.
 */
import { Refused, sendHeartbeats } from '../api/client'
import type { Beat, BeatState } from '../api/types'
import { beatStore } from '../offline/beatStore'

export const EVERY_MS = 10_000
/** The most that one report takes; older ones are dropped: the latest position is what counts. */
const MOST_KEPT = 1000

/** What the player says when it is asked. */
export interface Place {
  positionSeconds: number
  durationSeconds: number
}

/** Numbers of the stream since the last heartbeat. */
export type Quality = NonNullable<Beat['quality']>

export class Heartbeats {
  private readonly kept: Beat[] = []
  private sequence = 0
  private timer: ReturnType<typeof setInterval> | null = null
  private sending = false

  constructor(
    private readonly title: string,
    readonly session: string,
    private readonly place: () => Place,
    private readonly quality: () => Quality,
    private readonly everyMs = EVERY_MS,
    private readonly send = sendHeartbeats,
    private readonly now: () => number = Date.now,
    private readonly store: Pick<typeof beatStore, 'keep' | 'sent'> = beatStore,
  ) {}

  /** From here on every ten seconds, or as the service asked. */
  begin(): void {
    if (this.timer !== null) return
    this.beat('playing')
    this.timer = setInterval(() => this.beat('playing'), this.everyMs)
  }

  /** Pauses, or ends: says so, and is silent until it begins again. */
  rest(state: Exclude<BeatState, 'playing'>): void {
    if (this.timer === null) return
    clearInterval(this.timer)
    this.timer = null
    this.beat(state)
  }

  /** Says where it is now, as after a seek. */
  beat(state: BeatState): void {
    const { positionSeconds, durationSeconds } = this.place()
    if (!Number.isFinite(positionSeconds) || !Number.isFinite(durationSeconds)) return
    this.sequence += 1
    this.kept.push({
      title: this.title, session: this.session, sequence: this.sequence, positionSeconds, durationSeconds, at: this.now(), state,
      quality: this.quality(),
    })
    this.kept.splice(0, this.kept.length - MOST_KEPT)
    void this.flush()
  }

  private async flush(): Promise<void> {
    if (this.sending || this.kept.length === 0) return
    this.sending = true
    const beats = this.kept.slice()
    try {
      await this.send({ sentAt: this.now(), beats })
      this.kept.splice(0, beats.length)
      this.store.sent(beats)
    } catch (error) {
      // The next one takes them along, unless they are refused for what they say.
      if (isHopeless(error)) this.kept.splice(0, beats.length)
      else this.store.keep(beats)
    } finally {
      this.sending = false
    }
    if (this.kept.length > 0 && this.kept[0] !== beats[0]) void this.flush()
  }
}

/** Refused for what it says: sending it again is of no use. */
function isHopeless(error: unknown): boolean {
  return error instanceof Refused && (error.status === 400 || error.status === 413 || error.status === 422)
}
