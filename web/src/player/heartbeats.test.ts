import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Refused } from '../api/client'
import type { Beat, HeartbeatReport } from '../api/types'
import { EVERY_MS, Heartbeats } from './heartbeats'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

const quality = () => ({ startMs: 0, stalls: 0, stalledMs: 0, bitsPerSecond: 0, throughputBitsPerSecond: 0, height: 0, droppedFrames: 0, error: '' })

function world(answers: (boolean | 'refused')[] = []) {
  const reports: HeartbeatReport[] = []
  let position = 0
  const kept = new Set<number>()
  const store = {
    keep: (all: readonly Beat[]) => all.forEach(({ sequence }) => kept.add(sequence)),
    sent: (all: readonly Beat[]) => all.forEach(({ sequence }) => kept.delete(sequence)),
  }
  const send = (report: HeartbeatReport): Promise<void> => {
    const answer = answers.shift() ?? true
    if (answer !== true) return Promise.reject(answer === 'refused' ? new Refused(400, 'beats[0].title is refused') : new Refused(0, 'no network'))
    reports.push(report)
    return Promise.resolve()
  }
  const beats = new Heartbeats('film', 's1', () => ({ positionSeconds: position, durationSeconds: 100 }), quality, EVERY_MS, send, () => 1000 + position, store)
  return { reports, beats, kept, go: (to: number) => (position = to) }
}

const said = (reports: HeartbeatReport[]) => reports.flatMap((report) => report.beats.map((beat) => [beat.sequence, beat.positionSeconds, beat.state]))

test('a film that plays says where it is every ten seconds, and where it stopped', async () => {
  const { reports, beats, go } = world()
  beats.begin()
  beats.begin()
  go(10)
  await vi.advanceTimersByTimeAsync(EVERY_MS)
  go(14)
  beats.rest('paused')
  beats.rest('paused')
  await vi.advanceTimersByTimeAsync(5 * EVERY_MS)
  expect(said(reports)).toEqual([[1, 0, 'playing'], [2, 10, 'playing'], [3, 14, 'paused']])
})

test('what could not be sent goes with the next', async () => {
  const { reports, beats, go } = world([true, false, true])
  beats.begin()
  await vi.advanceTimersByTimeAsync(0)
  go(10)
  await vi.advanceTimersByTimeAsync(EVERY_MS)
  expect(said(reports)).toHaveLength(1)
  go(20)
  await vi.advanceTimersByTimeAsync(EVERY_MS)
  expect(said(reports)).toEqual([[1, 0, 'playing'], [2, 10, 'playing'], [3, 20, 'playing']])
})

test('what could not be sent outlives the page until it was sent', async () => {
  const { beats, kept } = world([false, true])
  beats.begin()
  await vi.advanceTimersByTimeAsync(0)
  expect([...kept]).toEqual([1])
  await vi.advanceTimersByTimeAsync(EVERY_MS)
  expect([...kept]).toEqual([])
})

test('what is refused for what it says is not sent again', async () => {
  const { reports, beats, kept } = world(['refused', true])
  beats.begin()
  await vi.advanceTimersByTimeAsync(EVERY_MS)
  expect(said(reports)).toEqual([[2, 0, 'playing']])
  expect([...kept]).toEqual([])
})
