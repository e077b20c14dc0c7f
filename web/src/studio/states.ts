/** States as the studio says and draws them: a word and a shape each, so that colour is never alone. */
import type { TaskState, WorkflowState } from '../api/types'

export type Tone = 'calm' | 'good' | 'bad'

export const WORKFLOW_WORDS: Record<WorkflowState, { word: string; tone: Tone }> = {
  active: { word: 'At work', tone: 'calm' },
  completed: { word: 'Published', tone: 'good' },
  stuck: { word: 'Needs you', tone: 'bad' },
  stopped: { word: 'Cancelled', tone: 'bad' },
}

export const TASK_WORDS: Record<TaskState, { word: string; shape: string }> = {
  waiting: { word: 'waiting', shape: '·' },
  ready: { word: 'ready', shape: '○' },
  running: { word: 'running', shape: '▶' },
  backoff: { word: 'tries again soon', shape: '↻' },
  done: { word: 'done', shape: '✓' },
  failed: { word: 'failed', shape: '✕' },
  cancelled: { word: 'cancelled', shape: '–' },
}
