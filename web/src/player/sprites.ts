/**
 * Scrubbing thumbnails: a WebVTT file whose cues name parts of picture sheets.
 *
 *     00:00:00.000 --> 00:00:10.000
 *     thumbs/0.jpg#xywh=0,0,160,90
 *
 * Source: W3C, "Media Fragments URI 1.0", 4.2.2, for `xywh`.
 */

export interface Sprite {
  /** Seconds. */
  start: number
  end: number
  /** Absolute address of the sheet. */
  sheet: string
  /** The part of it, in pixels; the whole sheet where the cue names no part. */
  part: { x: number; y: number; width: number; height: number } | null
}

const TIMING = /^\s*((?:\d+:)?\d{1,2}:\d{2}[.,]\d{3})\s+-->\s+((?:\d+:)?\d{1,2}:\d{2}[.,]\d{3})/
const PART = /^xywh=(?:pixel:)?(\d+),(\d+),(\d+),(\d+)$/

/** The sprites of a file fetched from `base`, in rising order of time. Cues that can't be read are left out. */
export function parseSprites(text: string, base: string): Sprite[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/)
  const sprites: Sprite[] = []
  for (const [index, line] of lines.entries()) {
    const timing = TIMING.exec(line)
    const target = lines[index + 1]?.trim()
    if (!timing || !target) continue
    const start = seconds(timing[1] ?? '')
    const end = seconds(timing[2] ?? '')
    const sheet = addressOf(target, base)
    if (end <= start || sheet === null) continue
    sprites.push({ start, end, ...sheet })
  }
  return sprites.sort((a, b) => a.start - b.start)
}

function addressOf(target: string, base: string): Pick<Sprite, 'sheet' | 'part'> | null {
  let url: URL
  try {
    url = new URL(target, base)
  } catch {
    return null
  }
  const named = PART.exec(url.hash.slice(1))
  url.hash = ''
  if (!named) return { sheet: url.href, part: null }
  const [x = 0, y = 0, width = 0, height = 0] = named.slice(1).map(Number)
  if (width === 0 || height === 0) return null
  return { sheet: url.href, part: { x, y, width, height } }
}

function seconds(stamp: string): number {
  return stamp
    .replace(',', '.')
    .split(':')
    .reduce((total, part) => total * 60 + Number(part), 0)
}

/** The sprite that shows `time`: the one it falls in, or else the last before it. */
export function spriteAt(sprites: Sprite[], time: number): Sprite | null {
  let low = 0
  let high = sprites.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sprites[middle]?.start ?? Infinity) <= time) low = middle + 1
    else high = middle
  }
  return sprites[low - 1] ?? sprites[0] ?? null
}
