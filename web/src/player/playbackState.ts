/** What the controls and the statistics show of a playback. */
import type { PlaySession } from '../api/types'
import type { Choice } from './choices'
import type { Failure } from './failures'
import type { Protocol, shaka } from './settings'

export type Phase = 'cold' | 'warming' | 'warm' | 'starting' | 'playing' | 'paused' | 'ended' | 'failed'

/** What the controls show. Replaced, never changed, so that React sees the difference. */
export interface PlaybackState {
  phase: Phase
  protocol: Protocol
  /** Playing is held up by missing data. */
  waiting: boolean
  /** Seconds. */
  position: number
  duration: number
  /** To where it is buffered without a gap. */
  buffered: number
  volume: number
  muted: boolean
  rate: number
  video: Choice<shaka.extern.VideoTrack>[]
  audio: Choice<shaka.extern.AudioTrack>[]
  text: Choice<shaka.extern.TextTrack>[]
  /** The height is chosen by the network, not by the viewer. */
  automatic: boolean
  failure: Failure | null
  session: PlaySession | null
}

export interface Statistics {
  protocol: Protocol
  width: number
  height: number
  codecs: string
  /** Bits a second, of the renditions that play. */
  streamBandwidth: number
  estimatedBandwidth: number
  bufferedSeconds: number
  decodedFrames: number
  droppedFrames: number
  startupMs: number | null
  warm: boolean
  stalls: number
  keySystem: string | null
  scheme: string | null
  switches: number
}
