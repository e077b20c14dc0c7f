/** What the gateway answers, as it stands in its own code (`crates/front/gateway`). Times are RFC 3339, in UTC. */

import type { NextTitle } from './viewerTypes'

export interface Title {
  id: string
  name: string
  description: string
  /** Who made it; shown wherever the title is. */
  credits: string
  /** Of the work: "CC BY 3.0". */
  license: string
  /** Address of its artwork. */
  artwork: string | null
  published: boolean
  publishedAt: string | null
  version: string | null
  durationSeconds: number
}

/** A right to play one title for a while, with everything a player needs. */
export interface PlaySession {
  session: string
  title: Title
  hls: string
  dash: string
  hlsTs: string
  /** WebVTT whose cues name parts of picture sheets; empty where there are none. */
  thumbnails: string
  license: string
  /** Bearer of the licence request. */
  token: string
  expires: string | null
  protection: string
  durationSeconds: number
  /** Where the viewer stopped the last time; 0 at the beginning. */
  resumeSeconds: number
  /** How often the player reports. */
  heartbeatSeconds?: number | null
  /** The tallest picture that the plan gives; 0: no limit. */
  maxHeight?: number | null
  /** Of an episode: what follows. */
  next?: NextTitle | null
}

/** A title and where the viewer is in it. */
export interface Watched {
  title: Title
  resumeSeconds: number
  positionSeconds: number
  durationSeconds: number
  finished: boolean
  at: string | null
}

export type WorkflowState = 'active' | 'completed' | 'stuck' | 'stopped'
export type TaskState = 'waiting' | 'ready' | 'running' | 'backoff' | 'done' | 'failed' | 'cancelled'

export interface Task {
  /** Unique in its workflow: "encode/video-720p-h264/00003". */
  name: string
  type: string
  pool: string
  dependsOn: string[]
  state: TaskState
  /** How often it was begun. */
  attempt: number
  /** 0 to 1. */
  progress: number
  /** "412 fps, 12 s left" */
  note: string
  worker: string
  error?: string
  /** The end of what the tool wrote before it failed. */
  diagnostics?: string
  /** Its output existed, so it was not run. */
  reused: boolean
  startedAt?: string | null
  endedAt?: string | null
  result?: unknown
}

export interface Workflow {
  id: string
  kind: string
  /** The title's id. */
  subject: string
  state: WorkflowState
  tasks: number
  done: number
  running: number
  failed: number
  startedAt?: string | null
  endedAt?: string | null
  /** 0 to 1. */
  progress: number
  /** Of the first failed task. */
  reason?: string
  taskList?: Task[]
}

/** A master on its way in, as the server has it. */
export interface UnfinishedUpload {
  id: string
  /** Bytes. */
  size: number
  offset: number
  metadata: Record<string, string>
  createdAt: string | null
  expiresAt: string | null
  finished: boolean
}

/** What was found in a master. Names as the pipeline writes them; a text is empty where the master does not say. */
export interface Inspection {
  /** As ffprobe names it: "mov,mp4,m4a,3gp,3g2,mj2". */
  container: string
  /** Bytes. */
  size: number
  duration_us: number
  video: InspectedVideo
  audio: InspectedAudio[]
  subtitles: InspectedText[]
  /** What is unusual but works. */
  warnings: string[]
}

export interface InspectedVideo {
  index: number
  codec: string
  profile: string
  width: number
  height: number
  /** Width to height of one pixel. */
  sample_aspect: [number, number]
  /** Clockwise degrees by which it is turned to be seen upright. */
  rotation: number
  /** As it is shown: turned, with square pixels. */
  display_width: number
  display_height: number
  pixel_format: string
  /** Of a component. */
  bits: number
  range: 'SDR' | 'HLG' | 'PQ'
  color: { primaries: string; transfer: string; space: string; range: string; max_cll: number | null }
  /** A fraction: "24000/1001". */
  frame_rate: string
  /** The master's frames do not keep that rate. */
  variable: boolean
  scan: 'progressive' | 'top' | 'bottom'
  start_us: number
  decoded_frames: number
  frames: number
  /** Where shots begin, in frames. */
  shots: number[]
}

export interface InspectedAudio {
  index: number
  codec: string
  channels: number
  layout: string
  sample_rate: number
  language: string
  title: string
  start_us: number
  duration_us: number
}

export interface InspectedText {
  index: number
  codec: string
  language: string
  title: string
  forced: boolean
  hearing_impaired: boolean
}
