import { expect, test } from 'vitest'
import type { Span } from '../../api/types'
import { took, waterfallOf } from './waterfall'

const span = (id: string, parent: string, startUs: number, durationUs: number): Span => ({ id, parent, name: id, service: 'gateway', kind: 'server', startUs, durationUs, error: '', tags: {} })
const drawn = (spans: Span[]): [string, number, number][] => waterfallOf(spans).lines.map(({ span: { id }, depth, from }) => [id, depth, from])

test('each span stands below its parent, in the order of time', () => {
  const { total } = waterfallOf([span('a', '', 1000, 500)])
  expect(total).toBe(500)
  expect(drawn([span('c', 'a', 1300, 100), span('b', 'a', 1100, 50), span('d', 'c', 1310, 20), span('a', '', 1000, 500)])).toEqual([
    ['a', 0, 0], ['b', 1, 100], ['c', 1, 300], ['d', 2, 310],
  ])
})

test('a span without its parent, and a ring of parents, are drawn once', () => {
  expect(drawn([span('b', 'lost', 10, 5), span('a', '', 0, 20)])).toEqual([['a', 0, 0], ['b', 0, 10]])
  expect(drawn([span('x', 'y', 0, 5), span('y', 'x', 1, 5), span('z', 'z', 2, 1)]).map(([id]) => id).sort()).toEqual(['x', 'y', 'z'])
  expect(waterfallOf([])).toEqual({ lines: [], total: 0, services: [] })
})

test('how long it took has a unit that is read at a glance', () => {
  expect(took(820)).toBe('820 µs')
  expect(took(1240)).toBe('1.24 ms')
  expect(took(25_300)).toBe('25.3 ms')
  expect(took(2_100_000)).toBe('2.10 s')
})
