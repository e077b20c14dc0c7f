/** The inspection report in words: what a person asks of a master, and what the pipeline found. */
import type { InspectedAudio, InspectedText, InspectedVideo, Inspection } from '../api/types'
import { bitrate, bytes } from '../words/amounts'
import { languageName } from '../words/languages'
import { clock, length } from '../words/time'

/** A fact by its name. */
export type Fact = [name: string, value: string]

const CONTAINERS: Record<string, string> = {
  mov: 'MP4 or QuickTime', matroska: 'Matroska or WebM', mxf: 'MXF', mpegts: 'MPEG transport stream', mpeg: 'MPEG program stream', avi: 'AVI',
}
const CODECS: Record<string, string> = {
  h264: 'H.264', hevc: 'H.265', av1: 'AV1', vp9: 'VP9', prores: 'ProRes', dnxhd: 'DNxHD', mpeg2video: 'MPEG-2', ffv1: 'FFV1', aac: 'AAC', ac3: 'AC-3',
  eac3: 'E-AC-3', flac: 'FLAC', opus: 'Opus', pcm_s16le: 'PCM 16 bit', pcm_s24le: 'PCM 24 bit', mp3: 'MP3', subrip: 'SubRip', mov_text: 'MP4 timed text', ass: 'ASS', webvtt: 'WebVTT',
}
const RANGES = { SDR: 'Standard range (SDR)', HLG: 'High range (HLG)', PQ: 'High range (HDR10, PQ)' }
const SCANS = { progressive: 'Progressive: whole frames', top: 'Interlaced, top field first; it is deinterlaced', bottom: 'Interlaced, bottom field first; it is deinterlaced' }

const codecName = (codec: string): string => CODECS[codec] ?? codec
const list = (...parts: (string | false)[]): string => parts.filter(Boolean).join(', ')
const count = (number: number): string => number.toLocaleString('en')

/** "23.976 frames a second" of "24000/1001". */
export function frameRate(fraction: string): string {
  const [over = NaN, under = 1] = fraction.split('/').map(Number)
  const rate = over / under
  return Number.isFinite(rate) ? `${Number(rate.toFixed(3))} frames a second` : fraction
}

export function fileFacts({ container, size, duration_us }: Inspection): Fact[] {
  const seconds = duration_us / 1e6
  const name = CONTAINERS[container.split(',')[0] ?? ''] ?? container
  return [
    ['Container', name],
    ['Size', `${bytes(size)} (${count(size)} bytes)`],
    ['Length', `${clock(seconds)} (${length(seconds)})`],
    ['Rate of data', seconds > 0 ? bitrate((size * 8) / seconds) : '–'],
  ]
}

export function pictureFacts(video: InspectedVideo): Fact[] {
  const { width, height, display_width, display_height, sample_aspect, rotation } = video
  const [across, down] = sample_aspect
  const facts: Fact[] = [
    ['Codec', list(codecName(video.codec), video.profile)],
    ['Pixels', `${width} × ${height}`],
    ['Shown as', `${display_width} × ${display_height}`],
    ['Shape of a pixel', across === down ? 'Square' : `${across} to ${down}; made square`],
    ['Rotation', rotation === 0 ? 'None' : `${rotation}° clockwise; it is turned upright`],
    ['Frame rate', list(frameRate(video.frame_rate), video.variable && 'variable in the master; made constant')],
    ['Frames', video.decoded_frames === video.frames ? count(video.frames) : `${count(video.frames)} (${count(video.decoded_frames)} in the master)`],
    ['Scan', SCANS[video.scan]],
    ['Shots', count(video.shots.length + 1)],
  ]
  return facts
}

export function colourFacts({ range, color, bits, pixel_format }: InspectedVideo): Fact[] {
  const said = (value: string): string => (value === '' ? 'Not said' : value)
  const facts: Fact[] = [
    ['Range', RANGES[range]],
    ['Depth', `${bits} bits (${pixel_format})`],
    ['Primaries', said(color.primaries)],
    ['Transfer', said(color.transfer)],
    ['Matrix', said(color.space)],
    ['Levels', { tv: 'Limited (tv)', pc: 'Full (pc)' }[color.range] ?? said(color.range)],
  ]
  if (color.max_cll !== null) facts.push(['Brightest', `${color.max_cll} cd/m²`])
  return facts
}

/** Of one language of sound: its name, then what it is. */
export function soundWords(audio: InspectedAudio): Fact {
  const layout = audio.layout || `${audio.channels} channels`
  const name = list(languageName(audio.language), audio.title)
  return [name, list(codecName(audio.codec), layout, `${audio.sample_rate / 1000} kHz`, length(audio.duration_us / 1e6))]
}

export function textWords(text: InspectedText): Fact {
  const name = list(languageName(text.language), text.title)
  return [name, list(codecName(text.codec), text.forced && 'forced', text.hearing_impaired && 'for the deaf and hard of hearing')]
}

/** Whether a task's result is a report. */
export function isInspection(result: unknown): result is Inspection {
  return typeof result === 'object' && result !== null && 'container' in result && 'video' in result && 'warnings' in result
}
