import { expect, test } from 'vitest'
import { type Box, directionOf, isBack, nextIn } from './spatial'

const box = (left: number, top: number, width = 100, height = 60): Box => ({ left, top, right: left + width, bottom: top + height })

/** Two rows of five, the second shifted by half a card, under a bar of two links. */
const bar = [box(0, 0, 60, 20), box(400, 0, 60, 20)]
const first = [0, 1, 2, 3, 4].map((n) => box(n * 110, 100))
const second = [0, 1, 2, 3, 4].map((n) => box(n * 110 + 55, 220))
const all = [...bar, ...first, ...second]
const at = (index: number): Box => all[index] ?? box(0, 0)

test('right and left walk along a row and stop at its ends', () => {
  expect(nextIn(at(2), all, 'right')).toBe(3)
  expect(nextIn(at(4), all, 'left')).toBe(3)
  expect(nextIn(at(6), all, 'right')).toBeNull()
  expect(nextIn(at(2), all, 'left')).toBeNull()
})

test('down and up go to the next row, to what is straight below or above', () => {
  expect(nextIn(at(2), all, 'down')).toBe(7)
  expect(nextIn(at(9), all, 'up')).toBe(4)
  expect(nextIn(at(5), all, 'up')).toBe(1)
  expect(nextIn(at(11), all, 'down')).toBeNull()
  expect(nextIn(at(0), all, 'up')).toBeNull()
})

test('a row that is scrolled away is entered where it is seen', () => {
  const scrolled = [...first, ...[0, 1, 2, 3, 4].map((n) => box(n * 110 - 220, 220))]
  expect(nextIn(first[0] ?? box(0, 0), scrolled, 'down')).toBe(5 + 2)
})

test('what is alone in its row is reached, however far aside', () => {
  expect(nextIn(box(0, 0), [box(900, 100)], 'down')).toBe(0)
})

test('only plain arrows move, and remote controls have their own way back', () => {
  const key = (name: string, by = {}) => ({ key: name, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...by })
  expect(directionOf(key('ArrowUp'))).toBe('up')
  expect(directionOf(key('ArrowUp', { altKey: true }))).toBeNull()
  expect(directionOf(key('a'))).toBeNull()
  expect(isBack('GoBack')).toBe(true)
  expect(isBack('Backspace')).toBe(false)
})
