import { expect, test } from 'vitest'
import { QualityReport } from './qualityReport'

const total = (by: object) => ({ startMs: 412.4, stalls: 0, stalledMs: 0, droppedFrames: 0, bitsPerSecond: 4e6, throughputBitsPerSecond: 2e7, height: 1080, error: '', ...by })

test('each heartbeat tells what is new since the last', () => {
  const report = new QualityReport()
  expect(report.since(total({ stalls: 1, stalledMs: 250 }))).toMatchObject({ startMs: 412, stalls: 1, stalledMs: 250 })
  expect(report.since(total({ stalls: 1, stalledMs: 250, droppedFrames: 3 }))).toMatchObject({ startMs: 0, stalls: 0, stalledMs: 0, droppedFrames: 3 })
})

test('a player that begins anew, or knows nothing, reports no nonsense', () => {
  const report = new QualityReport()
  report.since(total({ droppedFrames: 10 }))
  expect(report.since(total({ droppedFrames: 2, bitsPerSecond: Number.NaN, error: 'x'.repeat(100) }))).toMatchObject({ droppedFrames: 0, bitsPerSecond: 0, error: 'x'.repeat(64) })
})
