/** How Shaka Player is set up here, and why each setting differs from its default. */
import shaka from 'shaka-player/dist/shaka-player.compiled-es2021.js'
import type { PlaySession } from '../api/types'

export type Protocol = 'hls' | 'dash'

const CLEAR_KEY = 'org.w3.clearkey'
const WIDEVINE = 'com.widevine.alpha'

/** Bytes buffered ahead are bounded by time: half a minute rides out a slow patch without fetching what may not be watched. */
const BUFFER_AHEAD_SECONDS = 30

/** What the player says of itself with each request: what telemetry reads, and no more (CTA-5004 has more keys). */
const SAID = ['sid', 'cid', 'ot', 'br', 'mtp', 'bl', 'bs', 'su']

/** The languages that a profile likes, BCP 47; empty: none in particular. */
export interface Tastes {
  audio: string
  /** Of subtitles. */
  text: string
}

/** Settings for one session. Fetched segments start on a rung that 4 Mbit/s carry, until the network is known. */
export function settingsFor(session: PlaySession, protocol: Protocol, tastes: Tastes = { audio: '', text: '' }): Record<string, unknown> {
  // Undefined takes away what the other protocol may have set.
  const hls = <T>(value: T): T | undefined => (protocol === 'hls' ? value : undefined)
  const license = whole(session.license)
  return {
    drm: {
      // HLS has no key format for ClearKey that Shaka Player knows, so the playlists' Widevine signalling (it carries
      // the common pssh too) is opened with ClearKey. Servers are looked up by the name in the manifest. DASH names
      // ClearKey itself; there Widevine's own initialisation data would reach ClearKey, which refuses it.
      servers: { [CLEAR_KEY]: license, [WIDEVINE]: hls(license) },
      keySystemsMapping: { [WIDEVINE]: hls(CLEAR_KEY) },
      retryParameters: { maxAttempts: 3, baseDelay: 250, timeout: 10_000 },
    },
    manifest: {
      retryParameters: { maxAttempts: 3, baseDelay: 250, timeout: 10_000 },
      // A manifest asks for a minimum of buffer before the first frame; the first segment is enough to begin with.
      dash: { ignoreMinBufferTime: true },
    },
    streaming: {
      bufferingGoal: BUFFER_AHEAD_SECONDS,
      rebufferingGoal: 0,
      bufferBehind: 30,
      segmentPrefetchLimit: 1,
      retryParameters: { maxAttempts: 5, baseDelay: 300, timeout: 20_000, stallTimeout: 8_000 },
    },
    // The plan gives pictures up to a height; its addresses give no more either.
    restrictions: { maxHeight: session.maxHeight && session.maxHeight > 0 ? session.maxHeight : Infinity },
    preferredAudio: tastes.audio === '' ? [] : [{ language: tastes.audio }],
    // In headers, which leave addresses as a browser's cache knows them; but of a server on another origin they would
    // cost a question before each request.
    cmcd: { enabled: true, useHeaders: isOurs(manifestOf(session, protocol)), sessionId: session.session, contentId: session.title.id, includeKeys: SAID },
    abr: {
      defaultBandwidthEstimate: 4_000_000,
      // The estimate of a browser is capped at 10 Mbit/s and knows nothing of the box nearby.
      useNetworkInformation: false,
      restrictToElementSize: true,
      switchInterval: 4,
    },
  }
}

/** An address with its host: what the player says with a request (CMCD) spoils one without. */
const whole = (address: string): string => new URL(address, window.location.href).href

/** Whether an address is on the page's own server. */
const isOurs = (address: string): boolean => new URL(address).origin === window.location.origin

/** The session's manifest in a protocol. */
export const manifestOf = (session: PlaySession, protocol: Protocol): string =>
  whole(protocol === 'dash' ? session.dash : session.hls)

/** Its type, so that the player need not ask the server first. */
export const manifestType = (protocol: Protocol): string =>
  protocol === 'dash' ? 'application/dash+xml' : 'application/vnd.apple.mpegurl'

/** Puts the session's token on its licence requests, and nowhere else. */
export function authorise(player: shaka.Player, token: () => string): void {
  player.getNetworkingEngine()?.registerRequestFilter((type, request) => {
    if (type === shaka.net.NetworkingEngine.RequestType.LICENSE) {
      request.headers.Authorization = `Bearer ${token()}`
      request.headers['Content-Type'] = 'application/json'
    }
  })
}

/** A new player that draws captions into `container`. Installs what older browsers lack, once. */
export function newPlayer(container: HTMLElement): shaka.Player {
  shaka.polyfill.installAll()
  return new shaka.Player(null, container)
}

export { shaka }
