/** Which thing an arrow key goes to: the nearest in its direction, as a remote control expects it. No DOM in here. */

export interface Box {
  left: number
  top: number
  right: number
  bottom: number
}
export type Direction = 'left' | 'right' | 'up' | 'down'

/** Boxes whose edges miss each other by no more are taken as touching, in pixels. */
const SLACK = 4
/** Boxes that begin within this of each other, up or down, are one row. */
const ROW = 48

const middle = (a: number, b: number): number => (a + b) / 2
const overlap = (a1: number, a2: number, b1: number, b2: number): number => Math.min(a2, b2) - Math.max(a1, b1)

/**
 * The place in `boxes` to go to from `from`; null where nothing lies in that direction.
 *
 * Left and right stay in the row: only what is beside `from` counts. Up and down take the nearest row, and in it what
 * is closest to being straight above or below.
 */
export function nextIn(from: Box, boxes: readonly Box[], direction: Direction): number | null {
  return direction === 'left' || direction === 'right' ? beside(from, boxes, direction) : aboveOrBelow(from, boxes, direction)
}

function beside(from: Box, boxes: readonly Box[], direction: 'left' | 'right'): number | null {
  let best: number | null = null
  let least = Infinity
  boxes.forEach((box, index) => {
    const away = direction === 'right' ? box.left - from.right : from.left - box.right
    const ahead = direction === 'right' ? middle(box.left, box.right) - middle(from.left, from.right) : middle(from.left, from.right) - middle(box.left, box.right)
    if (away < -SLACK || ahead <= 0 || overlap(from.top, from.bottom, box.top, box.bottom) <= 0) return
    const cost = away + Math.abs(middle(box.top, box.bottom) - middle(from.top, from.bottom)) / 2
    if (cost < least) [best, least] = [index, cost]
  })
  return best
}

function aboveOrBelow(from: Box, boxes: readonly Box[], direction: 'up' | 'down'): number | null {
  const ahead = boxes
    .map((box, index) => ({ box, index, away: direction === 'down' ? box.top - from.bottom : from.top - box.bottom }))
    .filter(({ away }) => away >= -SLACK)
  const nearest = Math.min(...ahead.map(({ away }) => away))
  let best: number | null = null
  let least = Infinity
  for (const { box, index, away } of ahead) {
    if (away > nearest + ROW) continue
    const straight = overlap(from.left, from.right, box.left, box.right) > 0
    const aside = Math.abs(middle(box.left, box.right) - middle(from.left, from.right))
    const cost = (straight ? 0 : 10_000) + aside + (away - nearest)
    if (cost < least) [best, least] = [index, cost]
  }
  return best
}

const ARROWS: Record<string, Direction> = { ArrowLeft: 'left', ArrowRight: 'right', ArrowUp: 'up', ArrowDown: 'down' }

/** The direction of a key; nothing for others, and for arrows with a modifier, which are the browser's. */
export function directionOf({ key, ctrlKey, metaKey, altKey, shiftKey }: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>): Direction | null {
  if (ctrlKey || metaKey || altKey || shiftKey) return null
  return ARROWS[key] ?? null
}

/** The "back" of a remote control, under the names that televisions give it. */
export const isBack = (key: string): boolean => ['GoBack', 'BrowserBack', 'XF86Back', 'Back'].includes(key)
