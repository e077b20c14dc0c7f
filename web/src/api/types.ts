/** What the gateway answers, as it stands in its own code (`crates/front/gateway`). Times are RFC 3339, in UTC. */

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
