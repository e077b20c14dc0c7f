/** What went wrong with playing, in words for the viewer, and whether trying again can help. */
import { Refused } from '../api/client'
import { isRefusal, refusalFor } from '../words/refusals'

export interface Failure {
  /** One sentence on what happened. */
  what: string
  /** One sentence on what to do. */
  advice: string
  /** For whoever is asked for help. */
  detail: string
  retryable: boolean
  /** Where the way out is. */
  way?: { label: string; href: string } | null
}

/** Shaka Player's error, as far as it is read here. */
interface PlayerError {
  code: number
  category: number
  data: unknown[]
}

const NETWORK = 1
const BAD_STATUS = 1001
const TIMEOUT = 1003
const TEXT = 2
const MEDIA = 3
const MANIFEST = 4
const DRM = 6
const LICENCE_REFUSED = 6007
const NO_KEY_SYSTEM = new Set([6001, 6002, 6003, 6012])
const NOT_PLAYABLE_HERE = 4032

function isPlayerError(error: unknown): error is PlayerError {
  return typeof error === 'object' && error !== null && 'code' in error && 'category' in error
}

/** Whether the session's addresses or its licence token are no longer taken: a new session helps. */
export function isRunOut(error: unknown): boolean {
  if (!isPlayerError(error)) return false
  const status = error.data[1]
  if (error.category === NETWORK && error.code === BAD_STATUS) return status === 401 || status === 403 || status === 410
  return error.category === DRM && error.code === LICENCE_REFUSED
}

/** The failure that an error stands for. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Refused) return ofRefusal(error)
  if (isPlayerError(error)) return ofPlayer(error)
  const detail = error instanceof Error ? error.message : String(error)
  return { what: 'The film could not be played.', advice: 'Try again.', detail, retryable: true }
}

function ofRefusal(refusal: Refused): Failure {
  const detail = refusal.status === 0 ? refusal.message : `${refusal.message} (${refusal.status})`
  if (isRefusal(refusal.code)) {
    const { what, advice, way } = refusalFor(refusal.code, refusal.message)
    // A stream may have become free.
    return { what, advice, detail: '', retryable: refusal.code === 'too_many_streams', way }
  }
  if (refusal.status === 404)
    return { what: 'This film is not here, or not published yet.', advice: 'Choose another film.', detail, retryable: false }
  if (refusal.status === 403 || refusal.status === 401)
    return { what: 'This film may not be played here.', advice: 'Sign in again, or choose another film.', detail, retryable: true }
  return { what: 'The service did not answer as it should.', advice: 'Wait a moment, then try again.', detail, retryable: true }
}

function ofPlayer({ code, category, data }: PlayerError): Failure {
  const [address, status] = data
  const where = typeof address === 'string' ? `, ${address.split('?')[0] ?? ''}` : ''
  const detail = `Error ${code}${where}`
  if (category === NETWORK && code === BAD_STATUS && (status === 403 || status === 410))
    return { what: 'The permission to watch has run out.', advice: 'Try again to renew it.', detail: `${detail} (${status})`, retryable: true }
  if (category === NETWORK && code === BAD_STATUS)
    return { what: 'A part of the film could not be fetched.', advice: 'Wait a moment, then try again.', detail: `${detail} (${String(status)})`, retryable: true }
  if (category === NETWORK && code === TIMEOUT)
    return { what: 'The network took too long.', advice: 'Check the connection, then try again.', detail, retryable: true }
  if (category === NETWORK)
    return { what: 'The connection was lost.', advice: 'Check the network, then try again.', detail, retryable: true }
  if (category === DRM && NO_KEY_SYSTEM.has(code))
    return { what: 'This browser can’t open the film’s protection.', advice: 'Try a current Chrome, Edge or Firefox over HTTPS.', detail, retryable: false }
  if (category === DRM && code === LICENCE_REFUSED)
    return { what: 'The licence for this film was refused.', advice: 'Try again to ask for a new one.', detail, retryable: true }
  if (category === DRM)
    return { what: 'The film’s protection could not be opened.', advice: 'Try again.', detail, retryable: true }
  if (category === MANIFEST && code === NOT_PLAYABLE_HERE)
    return { what: 'This browser plays none of the film’s formats.', advice: 'Try another browser.', detail, retryable: false }
  if (category === MANIFEST)
    return { what: 'The film’s description could not be read.', advice: 'Try the other protocol in the settings, or try again.', detail, retryable: true }
  if (category === MEDIA || category === TEXT)
    return { what: 'A part of the film could not be decoded.', advice: 'Try again, or choose a lower quality.', detail, retryable: true }
  return { what: 'The film could not be played.', advice: 'Try again.', detail, retryable: true }
}
