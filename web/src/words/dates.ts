/** Days and moments as a person reads them, in the language of the page and the time of this place. */

const known = (time: string | null | undefined): Date | null => {
  if (!time) return null
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? null : date
}

/** "25 November 2026"; "–" where there is none. */
export function day(time: string | null | undefined, language?: string, timeZone?: string): string {
  const date = known(time)
  return date ? new Intl.DateTimeFormat(language, { dateStyle: 'long', ...(timeZone ? { timeZone } : {}) }).format(date) : '–'
}

/** "25 Nov 2026, 14:05"; "–" where there is none. */
export function moment(time: string | null | undefined, language?: string, timeZone?: string): string {
  const date = known(time)
  return date ? new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short', ...(timeZone ? { timeZone } : {}) }).format(date) : '–'
}

/** "yesterday", "in 3 days": whole days between two moments, in milliseconds since 1970. */
export function daysFrom(then: number, now: number, language?: string): string {
  const days = Math.round((then - now) / 86_400_000)
  return new Intl.RelativeTimeFormat(language, { numeric: 'auto' }).format(days, 'day')
}

/** For `<input type="datetime-local">`, in UTC: "2026-11-25T14:05". */
export const typedMoment = (time: string | null | undefined): string => known(time)?.toISOString().slice(0, 16) ?? ''

/** Back to RFC 3339; null where nothing was typed. */
export function momentTyped(value: string): string | null {
  const date = value === '' ? null : known(`${value}Z`)
  return date ? date.toISOString() : null
}
