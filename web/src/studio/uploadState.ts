/** An upload as the studio shows it: what state it is in, how fast it goes, what is left. No network here. */

export type UploadPhase = 'sending' | 'reconnecting' | 'paused' | 'failed' | 'done' | 'aborted'

/** What was sent by when. */
interface Sample {
  /** Milliseconds. */
  at: number
  /** Bytes. */
  sent: number
}

export interface UploadState {
  phase: UploadPhase
  /** Bytes, of all its files. */
  size: number
  sent: number
  /** Of the last seconds, for the rate. */
  samples: Sample[]
  /** What went wrong, in words; empty where nothing did. */
  problem: string
  /** What to do about it. */
  advice: string
}

export type UploadEvent =
  | { kind: 'progress'; sent: number; at: number }
  | { kind: 'reconnecting'; problem: string }
  | { kind: 'paused' }
  | { kind: 'resumed' }
  | { kind: 'failed'; problem: string; advice: string }
  | { kind: 'done' }
  | { kind: 'aborted' }

/** The rate is that of so many milliseconds: long enough to be calm, short enough to follow the network. */
const WINDOW_MS = 8000
/** Less than this says nothing about a rate. */
const LEAST_MS = 500

export function newUpload(size: number): UploadState {
  return { phase: 'sending', size, sent: 0, samples: [], problem: '', advice: '' }
}

/** The state after an event. What has ended stays ended. */
export function after(state: UploadState, event: UploadEvent): UploadState {
  if (state.phase === 'done' || state.phase === 'aborted') return state
  switch (event.kind) {
    case 'progress': {
      const sent = Math.min(state.size, Math.max(0, event.sent))
      // A server that was killed may have less than was sent: the rate begins anew.
      const kept = sent < state.sent ? [] : state.samples.filter((sample) => event.at - sample.at <= WINDOW_MS)
      const phase = state.phase === 'reconnecting' ? 'sending' : state.phase
      return { ...state, phase, sent, samples: [...kept, { at: event.at, sent }], ...(phase === 'sending' && { problem: '', advice: '' }) }
    }
    case 'reconnecting':
      return { ...state, phase: 'reconnecting', problem: event.problem, advice: 'It goes on by itself as soon as the service answers.', samples: [] }
    case 'paused':
      return { ...state, phase: 'paused', samples: [], problem: '', advice: '' }
    case 'resumed':
      return { ...state, phase: 'sending', samples: [], problem: '', advice: '' }
    case 'failed':
      return { ...state, phase: 'failed', samples: [], problem: event.problem, advice: event.advice }
    case 'done':
      return { ...state, phase: 'done', sent: state.size, samples: [], problem: '', advice: '' }
    case 'aborted':
      return { ...state, phase: 'aborted', samples: [], problem: '', advice: '' }
  }
}

/** Bytes a second of the last seconds; null while that can't be told. */
export function rateOf(state: UploadState): number | null {
  const first = state.samples[0]
  const last = state.samples.at(-1)
  if (state.phase !== 'sending' || !first || !last || last.at - first.at < LEAST_MS) return null
  return (last.sent - first.sent) / ((last.at - first.at) / 1000)
}

/** Seconds until the last byte is sent, at the present rate; null while that can't be told. */
export function secondsLeft(state: UploadState): number | null {
  const rate = rateOf(state)
  return rate === null || rate <= 0 ? null : (state.size - state.sent) / rate
}

/** What went wrong, and what to do, for a failed upload. `status` is the answer's, 0 where none came. */
export function failureWords(status: number, detail: string): { problem: string; advice: string } {
  const said = detail === '' ? '' : ` It said: ${detail}`
  if (status === 0)
    return { problem: 'The service can’t be reached.', advice: 'What was sent is kept. Check the connection, then resume.' }
  if (status === 401 || status === 403)
    return { problem: `The studio did not let the upload in.${said}`, advice: 'Sign in to the studio again, then resume.' }
  if (status === 404 || status === 410)
    return { problem: 'The service no longer has this upload: it was aborted, or it ran out of time.', advice: 'Upload the file again from the start.' }
  if (status === 409)
    return { problem: 'The service has another part of this file than was expected.', advice: 'Resume: it asks first how much is there.' }
  if (status === 413)
    return { problem: `The file is larger than the service takes.${said}`, advice: 'Ask whoever runs the service to raise the limit, or upload a smaller master.' }
  if (status === 423)
    return { problem: 'Another connection is still sending this file.', advice: 'Close the other page that uploads it, wait a moment, then resume.' }
  if (status === 460)
    return { problem: 'A part arrived damaged.', advice: 'Resume: the part is sent again.' }
  if (status === 507)
    return { problem: 'The service has no room left for this file.', advice: 'What was sent is kept. Make room, then resume.' }
  if (status >= 500)
    return { problem: `The service failed (${status}).${said}`, advice: 'What was sent is kept. Wait a moment, then resume.' }
  return { problem: `The service refused the upload (${status}).${said}`, advice: 'Change what it names, then upload the file again.' }
}
