import { describe, expect, test } from 'vitest'
import { after, failureWords, newUpload, rateOf, secondsLeft } from './uploadState'

const sent = (bytes: number, at: number) => ({ kind: 'progress', sent: bytes, at }) as const

describe('an upload', () => {
  test('tells its rate and the time left from the last seconds only', () => {
    let state = newUpload(100_000)
    state = after(state, sent(0, 0))
    expect(rateOf(state)).toBeNull()
    state = after(state, sent(1000, 1000))
    expect(rateOf(state)).toBe(1000)
    expect(secondsLeft(state)).toBe(99)
    // Slow at first, fast now: the slow seconds are forgotten.
    for (let second = 2; second <= 20; second += 1) state = after(state, sent(1000 + (second - 1) * 5000, second * 1000))
    expect(rateOf(state)).toBe(5000)
  })

  test('does not take what a killed server lost for a negative rate', () => {
    let state = after(after(newUpload(1000), sent(0, 0)), sent(800, 1000))
    state = after(state, { kind: 'reconnecting', problem: 'gone' })
    expect(rateOf(state)).toBeNull()
    state = after(state, sent(300, 5000))
    expect(state).toMatchObject({ phase: 'sending', sent: 300, problem: '' })
    state = after(state, sent(400, 6000))
    expect(rateOf(state)).toBe(100)
  })

  test('stays paused though a last byte is still reported', () => {
    const state = after(after(newUpload(10), { kind: 'paused' }), sent(5, 1))
    expect(state).toMatchObject({ phase: 'paused', sent: 5 })
    expect(rateOf(state)).toBeNull()
    expect(after(state, { kind: 'resumed' }).phase).toBe('sending')
  })

  test('that ended stays ended', () => {
    const aborted = after(newUpload(10), { kind: 'aborted' })
    expect(after(aborted, { kind: 'failed', problem: 'x', advice: 'y' })).toBe(aborted)
    const done = after(newUpload(10), { kind: 'done' })
    expect(done.sent).toBe(10)
    expect(after(done, { kind: 'paused' })).toBe(done)
  })
})

test('every failure says what to do', () => {
  for (const status of [0, 400, 401, 403, 404, 409, 410, 413, 415, 423, 460, 500, 503, 507]) {
    const { problem, advice } = failureWords(status, 'why')
    expect(problem).not.toBe('')
    expect(advice).toMatch(/\.$/)
  }
  expect(failureWords(413, 'at most 100 GB are taken').problem).toContain('at most 100 GB are taken')
})
