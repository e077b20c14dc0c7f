import { expect, test } from 'vitest'
import type { Beat } from '../api/types'
import { BeatStore, MOST_KEPT } from './beatStore'

const beat = (sequence: number): Beat => ({
  title: 'film', session: 's1', sequence, positionSeconds: sequence, durationSeconds: 100, at: sequence, state: 'playing',
  quality: { startMs: 0, stalls: 0, stalledMs: 0, bitsPerSecond: 0, throughputBitsPerSecond: 0, height: 0, droppedFrames: 0, error: '' },
})

function memory() {
  const kept = new Map<string, string>()
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  }
}

test('unsent heartbeats outlive the page, and go when they were sent', () => {
  const storage = memory()
  const before = new BeatStore(() => storage)
  before.belongTo('anna')
  before.keep([beat(1), beat(2)])
  const after = new BeatStore(() => storage)
  after.belongTo('anna')
  expect(after.all().map(({ sequence }) => sequence)).toEqual([1, 2])
  after.sent([beat(1)])
  expect(after.all().map(({ sequence }) => sequence)).toEqual([2])
})

test('nobody sends what another profile watched', () => {
  const storage = memory()
  const store = new BeatStore(() => storage)
  store.belongTo('anna')
  store.keep([beat(1)])
  store.belongTo('ben')
  expect(store.all()).toEqual([])
  store.keep([beat(7)])
  expect(store.all().map(({ sequence }) => sequence)).toEqual([7])
})

test('no more is kept than one report takes, the latest', () => {
  const storage = memory()
  const bounded = new BeatStore(() => storage)
  bounded.belongTo('anna')
  bounded.keep(Array.from({ length: MOST_KEPT + 5 }, (_, n) => beat(n)))
  expect(bounded.all()).toHaveLength(MOST_KEPT)
  expect(bounded.all()[0]?.sequence).toBe(5)
})

test('before it is known who watches nothing is kept, and nothing of anybody is lost', () => {
  const storage = memory()
  const known = new BeatStore(() => storage)
  known.belongTo('anna')
  known.keep([beat(1)])
  const unknown = new BeatStore(() => storage)
  unknown.keep([beat(7)])
  expect(unknown.all()).toEqual([])
  unknown.belongTo('anna')
  expect(unknown.all().map(({ sequence }) => sequence)).toEqual([1])
})

test('a storage that refuses does no harm', () => {
  const store = new BeatStore(() => {
    throw new Error('denied')
  })
  store.belongTo('anna')
  store.keep([beat(1)])
  store.forget()
  expect(store.all()).toEqual([])
})
