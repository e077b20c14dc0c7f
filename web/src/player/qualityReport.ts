/** What happened to the picture between two heartbeats, of numbers that are counted from the beginning. */
import type { Quality } from './heartbeats'

/** An error's words are cut to this. */
const LONGEST_ERROR = 64

const whole = (value: number): number => (Number.isFinite(value) ? Math.max(0, Math.round(value)) : 0)

export class QualityReport {
  private before = { startMs: 0, stalls: 0, stalledMs: 0, droppedFrames: 0 }

  /** What is new since the last call; `total` is counted from the beginning. */
  since(total: Quality): Quality {
    const { before } = this
    const now = { startMs: whole(total.startMs), stalls: whole(total.stalls), stalledMs: whole(total.stalledMs), droppedFrames: whole(total.droppedFrames) }
    this.before = now
    return {
      // Told once.
      startMs: before.startMs === 0 ? now.startMs : 0,
      stalls: Math.max(0, now.stalls - before.stalls),
      stalledMs: Math.max(0, now.stalledMs - before.stalledMs),
      droppedFrames: Math.max(0, now.droppedFrames - before.droppedFrames),
      bitsPerSecond: whole(total.bitsPerSecond),
      throughputBitsPerSecond: whole(total.throughputBitsPerSecond),
      height: total.height,
      error: total.error.slice(0, LONGEST_ERROR),
    }
  }
}
