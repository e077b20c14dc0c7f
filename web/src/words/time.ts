/** Times and lengths as a person reads them. */

/** A position in a film: "4:05", "1:02:09". Not a number, or below zero: "0:00". */
export function clock(seconds: number): string {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.floor(seconds)) : 0
  const hours = Math.floor(whole / 3600)
  const minutes = Math.floor(whole / 60) % 60
  const rest = String(whole % 60).padStart(2, '0')
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`
}

/** How long something is, in at most two units: "5 s", "2 min", "1 h 32 min", "3 d 4 h". */
export function length(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '–'
  if (seconds < 0.95) return `${Math.round(seconds * 1000)} ms`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 600) return join(Math.floor(whole / 60), 'min', whole % 60, 's')
  const minutes = Math.round(whole / 60)
  if (minutes < 60) return `${minutes} min`
  if (minutes < 24 * 60) return join(Math.floor(minutes / 60), 'h', minutes % 60, 'min')
  const hours = Math.round(minutes / 60)
  return join(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

function join(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`
}

/** How long ago `then` was: "just now", "5 min ago". Both in milliseconds since the epoch. */
export function ago(then: number, now: number): string {
  const seconds = (now - then) / 1000
  return seconds < 5 ? 'just now' : `${length(seconds)} ago`
}

/** Seconds between two RFC 3339 times; up to `now` (milliseconds) where the second is missing. */
export function between(start: string | null | undefined, end: string | null | undefined, now: number): number | null {
  if (!start) return null
  return Math.max(0, ((end ? Date.parse(end) : now) - Date.parse(start)) / 1000)
}
