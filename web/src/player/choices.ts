/** The menus' entries, from the player's tracks. */
import { bitrate } from '../words/amounts'
import { languageName } from '../words/languages'

export interface VideoLike {
  height: number | null
  bandwidth: number
  codecs: string | null
  frameRate: number | null
  hdr: string | null
  active: boolean
}
export interface AudioLike {
  language: string
  label: string | null
  channelsCount: number | null
  active: boolean
}
export interface TextLike {
  language: string
  label: string | null
  kind: string | null
  active: boolean
}

/** One entry of a menu, and the track it stands for. */
export interface Choice<T> {
  key: string
  label: string
  note: string
  active: boolean
  track: T
}

/** One entry a height, the tallest first; of several at one height the one that needs least. */
export function videoChoices<T extends VideoLike>(tracks: T[]): Choice<T>[] {
  const best = new Map<number, T>()
  for (const track of tracks) {
    const height = track.height ?? 0
    const known = best.get(height)
    if (!known || track.active || (!known.active && track.bandwidth < known.bandwidth)) best.set(height, track)
  }
  return [...best.entries()]
    .sort(([a], [b]) => b - a)
    .map(([height, track]) => ({
      key: String(height),
      label: heightLabel(track),
      note: track.bandwidth > 0 ? bitrate(track.bandwidth) : '',
      active: track.active,
      track,
    }))
}

/** "1080p", "720p50", "2160p HDR" */
export function heightLabel(track: Pick<VideoLike, 'height' | 'frameRate' | 'hdr'>): string {
  const fast = track.frameRate && track.frameRate > 31 ? String(Math.round(track.frameRate)) : ''
  const hdr = track.hdr && track.hdr !== 'SDR' ? ' HDR' : ''
  return `${track.height ?? '?'}p${fast}${hdr}`
}

export function audioChoices<T extends AudioLike>(tracks: T[]): Choice<T>[] {
  const seen = new Map<string, Choice<T>>()
  for (const track of tracks) {
    const key = `${track.language}/${track.label ?? ''}/${track.channelsCount ?? 0}`
    const known = seen.get(key)
    if (known && !track.active) continue
    seen.set(key, {
      key,
      label: languageName(track.language),
      note: channelLayout(track.channelsCount),
      active: track.active,
      track,
    })
  }
  return [...seen.values()]
}

/** "Stereo", "5.1" */
export function channelLayout(channels: number | null): string {
  if (!channels) return ''
  if (channels === 1) return 'Mono'
  if (channels === 2) return 'Stereo'
  if (channels === 6) return '5.1'
  if (channels === 8) return '7.1'
  return `${channels} channels`
}

export function textChoices<T extends TextLike>(tracks: T[]): Choice<T>[] {
  return tracks.map((track, index) => {
    const name = languageName(track.language)
    const note = track.label && track.label.toLowerCase() !== name.toLowerCase() ? track.label : ''
    return { key: `${track.language}/${track.label ?? ''}/${index}`, label: name, note, active: track.active, track }
  })
}
