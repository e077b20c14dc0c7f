/** Amounts of data as a person reads them, in decimal units as disks and networks are sold. */

const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P']

function scaled(value: number, unit: string): string {
  if (!Number.isFinite(value) || value < 0) return '–'
  let power = 0
  let rest = value
  while (rest >= 999.5 && power < PREFIXES.length - 1) {
    rest /= 1000
    power += 1
  }
  const digits = power === 0 || rest >= 99.5 ? 0 : rest >= 9.95 ? 1 : 2
  return `${rest.toFixed(digits)} ${PREFIXES[power] ?? ''}${unit}`
}

/** "1.20 GB" */
export const bytes = (count: number): string => scaled(count, 'B')
/** "4.50 Mbit/s" */
export const bitrate = (perSecond: number): string => scaled(perSecond, 'bit/s')
/** A share of one: "42 %". Never 100 % before it is whole. */
export function percent(share: number): string {
  const whole = Math.round(share * 100)
  return `${share < 1 ? Math.min(99, Math.max(0, whole)) : 100} %`
}
/** Bytes a second: "12.3 MB/s" */
export const rate = (bytesPerSecond: number): string => scaled(bytesPerSecond, 'B/s')
