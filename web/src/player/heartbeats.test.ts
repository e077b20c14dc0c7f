import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { HeartbeatReport } from '../api/client'
import { EVERY_MS, Heartbeats } from './heartbeats'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

const quality = () => ({ startMs: 0, stalls: 0, stalledMs: 0, bitsPerSecond: 0, height: 0, droppedFrames: 0, error: '' })

function world(answers: boolean[] = []) {
  const reports: HeartbeatReport[] = []
  let position = 0
  const send = (report: HeartbeatReport): Promise<void> => {
    if (answers.shift() === false) return Promise.reject(new Error('no network'))
    reports.push(report)
    return Promise.resolve()
  }
  const beats = new Heartbeats('film', 's1', () => ({ positionSeconds: position, durationSeconds: 100 }), quality, send, () => 1000 + position)
  return { reports, beats, go: (to: number) => (position = to) }
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
