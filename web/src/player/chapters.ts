/** The parts of a film that a viewer may want to leave: its opening, and its closing credits. Seconds throughout. */

export interface Parts {
  introStart?: number | null | undefined
  introEnd?: number | null | undefined
  creditsStart?: number | null | undefined
}

/** An opening that is as good as over is not offered to be left. */
const LEAST_LEFT = 2
/** Where it is not known when the credits begin, they are taken to be this long, of an episode of some length. */
const CREDITS = 12
const SHORTEST_WITH_CREDITS = 120

/** Where "skip" leads while the opening plays; null outside of it. */
export function skipTo(position: number, { introStart, introEnd }: Parts): number | null {
  if (!introEnd || introEnd <= 0) return null
  return position >= (introStart ?? 0) && position < introEnd - LEAST_LEFT ? introEnd : null
}

/** From where on the next episode is offered. */
export function offersNextAt(duration: number, { creditsStart }: Parts): number {
  if (creditsStart && creditsStart > 0 && creditsStart < duration) return creditsStart
  return duration >= SHORTEST_WITH_CREDITS ? duration - CREDITS : duration - 1
}

/** Whether the next episode is offered now. */
export const offersNext = (position: number, duration: number, parts: Parts): boolean => duration > 0 && position >= offersNextAt(duration, parts)
