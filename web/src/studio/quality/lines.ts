/** The lines of a plot, in the units of its picture. */

export interface Point {
  /** Milliseconds since 1970. */
  at: number
  value: number
}

/** A rounded number at or above `value`: 1, 2 or 5 times a power of ten. */
export function ceiling(value: number): number {
  if (!(value > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  const factor = [1, 2, 5, 10].find((each) => each * power >= value * (1 - 1e-9)) ?? 10
  return factor * power
}

/** An SVG path over `points` in a picture of this size; `top` is the value at its upper edge. Empty for fewer than two points. */
export function pathOf(points: readonly Point[], width: number, height: number, top: number): string {
  const [first] = points
  const last = points.at(-1)
  if (!first || !last || points.length < 2 || last.at <= first.at) return ''
  const x = (at: number): string => (((at - first.at) / (last.at - first.at)) * width).toFixed(1)
  const y = (value: number): string => (height - Math.min(1, Math.max(0, value / top)) * height).toFixed(1)
  return points.map(({ at, value }, index) => `${index === 0 ? 'M' : 'L'}${x(at)} ${y(value)}`).join(' ')
}
