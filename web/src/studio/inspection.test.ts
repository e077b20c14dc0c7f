import { expect, test } from 'vitest'
import type { Inspection } from '../api/types'
import { colourFacts, fileFacts, frameRate, isInspection, pictureFacts, soundWords, textWords } from './inspection'

const report: Inspection = {
  container: 'mov,mp4,m4a,3gp,3g2,mj2', size: 1_055_736, duration_us: 5_312_000,
  video: {
    index: 0, codec: 'h264', profile: 'High', width: 1440, height: 1080, sample_aspect: [4, 3], rotation: 90, display_width: 1080, display_height: 1920,
    pixel_format: 'yuv420p10le', bits: 10, range: 'PQ', color: { primaries: 'bt2020', transfer: 'smpte2084', space: '', range: 'tv', max_cll: 1000 },
    frame_rate: '24000/1001', variable: true, scan: 'top', start_us: 0, decoded_frames: 127, frames: 128, shots: [40, 80],
  },
  audio: [], subtitles: [], warnings: [],
}

test('a report says what a person asks of a master', () => {
  expect(isInspection(report)).toBe(true)
  expect(isInspection({ chunks: [] })).toBe(false)
  expect(Object.fromEntries(fileFacts(report))).toEqual({
    Container: 'MP4 or QuickTime', Size: '1.06 MB (1,055,736 bytes)', Length: '0:05 (5 s)', 'Rate of data': '1.59 Mbit/s',
  })
  expect(Object.fromEntries(pictureFacts(report.video))).toMatchObject({
    Codec: 'H.264, High', 'Shape of a pixel': '4 to 3; made square', Rotation: '90° clockwise; it is turned upright',
    'Frame rate': '23.976 frames a second, variable in the master; made constant', Frames: '128 (127 in the master)', Shots: '3',
  })
  expect(Object.fromEntries(colourFacts(report.video))).toMatchObject({ Range: 'High range (HDR10, PQ)', Matrix: 'Not said', Brightest: '1000 cd/m²' })
})

test('sound and words are named by their language', () => {
  const audio = { index: 1, codec: 'pcm_s24le', channels: 6, layout: '5.1(side)', sample_rate: 48_000, language: 'de', title: '', start_us: 0, duration_us: 60e6 }
  expect(soundWords(audio)).toEqual(['Deutsch', 'PCM 24 bit, 5.1(side), 48 kHz, 1 min'])
  expect(textWords({ index: 2, codec: 'subrip', language: 'und', title: 'Signs', forced: true, hearing_impaired: false })).toEqual(['Unknown language, Signs', 'SubRip, forced'])
})

test('frame rates are exact to three digits', () => {
  expect(frameRate('25/1')).toBe('25 frames a second')
  expect(frameRate('60000/1001')).toBe('59.94 frames a second')
  expect(frameRate('25')).toBe('25 frames a second')
  expect(frameRate('odd')).toBe('odd')
})
