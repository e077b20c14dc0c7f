/** A trace as lines to draw: each span below its parent, in time's order. */
import type { Span } from '../../api/types'

export interface Line {
  span: Span
  /** How deep below the trace's first. */
  depth: number
  /** From the trace's beginning, in microseconds. */
  from: number
  /** It has spans below it. */
  parent: boolean
}
export interface Waterfall {
  lines: Line[]
  /** Microseconds from the first span's beginning to the last one's end. */
  total: number
  services: string[]
}

/** Spans whose parent is not here stand at the top; no span is drawn twice, whatever it says of its parent. */
export function waterfallOf(spans: readonly Span[]): Waterfall {
  const begin = Math.min(...spans.map(({ startUs }) => startUs))
  const end = Math.max(...spans.map(({ startUs, durationUs }) => startUs + durationUs))
  const known = new Set(spans.map(({ id }) => id))
  const below = new Map<string, Span[]>()
  for (const span of spans) {
    const parent = known.has(span.parent) && span.parent !== span.id ? span.parent : ''
    below.set(parent, [...(below.get(parent) ?? []), span])
  }
  for (const siblings of below.values()) siblings.sort((a, b) => a.startUs - b.startUs || b.durationUs - a.durationUs)
  const lines: Line[] = []
  const drawn = new Set<string>()
  const draw = (span: Span, depth: number): void => {
    if (drawn.has(span.id)) return
    drawn.add(span.id)
    const children = below.get(span.id) ?? []
    lines.push({ span, depth, from: span.startUs - begin, parent: children.length > 0 })
    for (const child of children) draw(child, depth + 1)
  }
  for (const top of below.get('') ?? []) draw(top, 0)
  // A ring of parents hangs from nowhere.
  for (const span of spans) draw(span, 0)
  return { lines, total: spans.length === 0 ? 0 : Math.max(1, end - begin), services: [...new Set(lines.map(({ span }) => span.service))] }
}

/** "1.24 ms", "820 µs", "2.10 s" */
export function took(microseconds: number): string {
  if (microseconds < 1000) return `${Math.round(microseconds)} µs`
  if (microseconds < 1_000_000) return `${(microseconds / 1000).toFixed(microseconds < 10_000 ? 2 : 1)} ms`
  return `${(microseconds / 1_000_000).toFixed(2)} s`
}
