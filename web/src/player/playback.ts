/**
 * One title's playback: a session, a player and a video element, from before the click to the end.
 *
 * While the viewer still reads the title's page, [`Playback.warm`] asks for the session and fetches what the first frame
 * needs: manifest, licence, and the first segment of picture and sound, no more. A click then only has to show it.
 *
 * Marks for measuring: `play-click` (when the viewer clicked) and `first-frame` (when the first picture after it was
 * handed to the compositor). `window.__matinee` is a hook for diagnostics and tests; nothing in the page reads it.
 */
import { endSession, startPlay } from '../api/client'
import type { PlaySession } from '../api/types'
import { audioChoices, textChoices, videoChoices } from './choices'
import { failureOf, isRunOut } from './failures'
import { EVERY_MS, Heartbeats, type Quality } from './heartbeats'
import { nextSpeed } from './keys'
import type { PlaybackState, Statistics } from './playbackState'
import { QualityReport } from './qualityReport'
import { type Protocol, type Tastes, authorise, manifestOf, manifestType, newPlayer, settingsFor, shaka } from './settings'

/** The diagnostics hook. Times are milliseconds. */
export interface Diagnostics {
  player: shaka.Player
  playback: Playback
  /** From the click to the first frame; null before it. */
  startupMs: number | null
  /** Whether everything was fetched before the click. */
  warm: boolean
  stalls: number
}

declare global {
  interface Window {
    __matinee?: Diagnostics
  }
}

/** A session this close to its end is not started with. */
const LEAST_LEFT_MS = 60_000

/** Before so much has come, what is said of the network is a guess. As much as Shaka Player's estimate asks for. */
const MEASURED_BYTES = 128_000

/** A new session that is refused this soon is told to the viewer, not replaced again. */
const RENEW_AGAIN_MS = 30_000

interface Warmth {
  session: PlaySession
  preload: shaka.media.PreloadManager | null
}

export class Playback {
  private state: PlaybackState
  private readonly listeners = new Set<() => void>()
  private readonly player: shaka.Player
  private readonly attached: Promise<unknown>
  private readonly diagnostics: Diagnostics
  private readonly ending = new AbortController()
  private warmth: Promise<Warmth> | null = null
  /** The language of the captions that the viewer chose, empty for none; null before a choice. */
  private lastText: string | null = null
  /** The language last shown, for when captions come back. */
  private remembered = ''
  private beats: Heartbeats | null = null
  private readonly report = new QualityReport()
  /** When a session that had run out was last replaced. */
  private renewedAt = -Infinity

  constructor(
    private readonly title: string,
    private readonly video: HTMLVideoElement,
    container: HTMLElement,
    protocol: Protocol,
    durationSeconds: number,
    private readonly tastes: () => Tastes = () => ({ audio: '', text: '' }),
  ) {
    this.state = {
      phase: 'cold', protocol, waiting: false, position: 0, duration: durationSeconds, buffered: 0, volume: video.volume,
      muted: video.muted, rate: 1, video: [], audio: [], text: [], automatic: true, failure: null, session: null,
    }
    this.player = newPlayer(container)
    authorise(this.player, () => this.state.session?.token ?? '')
    this.attached = this.player.attach(video)
    this.diagnostics = { player: this.player, playback: this, startupMs: null, warm: false, stalls: 0 }
    window.__matinee = this.diagnostics
    this.listen()
  }

  readonly subscribe = (changed: () => void): (() => void) => {
    this.listeners.add(changed)
    return () => this.listeners.delete(changed)
  }

  readonly snapshot = (): PlaybackState => this.state

  /** Fetches ahead what the first frame needs. Does nothing when that is done or under way. */
  warm(): Promise<void> {
    if (this.warmth || this.state.phase !== 'cold') return Promise.resolve()
    this.set({ phase: 'warming' })
    this.warmth = this.fetchAhead()
    return this.warmth.then(
      () => {
        if (this.state.phase === 'warming') this.set({ phase: 'warm' })
      },
      // Nothing was asked for yet, so nothing is shown: the click tries again and tells.
      () => {
        this.warmth = null
        if (this.state.phase === 'warming') this.set({ phase: 'cold' })
      },
    )
  }

  private async fetchAhead(): Promise<Warmth> {
    const session = await startPlay(this.title)
    this.set({ session })
    await this.attached
    this.player.configure(settingsFor(session, this.state.protocol, this.tastes()))
    const { protocol } = this.state
    const preload = await this.player.preload(manifestOf(session, protocol), resumeAt(session), manifestType(protocol))
    await preload?.waitForFinish()
    return { session, preload }
  }

  /** Plays from where the viewer stopped, or from the start. `clicked` is the click's time on the page's clock. */
  async start(clicked: number): Promise<void> {
    performance.mark('play-click', { startTime: clicked })
    this.diagnostics.warm = this.state.phase === 'warm'
    this.set({ phase: 'starting', failure: null })
    this.video.requestVideoFrameCallback((now) => {
      performance.mark('first-frame', { startTime: now })
      this.diagnostics.startupMs = now - clicked
    })
    try {
      const { session, preload } = await this.warmed()
      await this.load(preload ?? manifestOf(session, this.state.protocol), preload ? null : resumeAt(session))
      await this.video.play()
    } catch (error) {
      this.fail(error)
    }
  }

  private async warmed(): Promise<Warmth> {
    const known = await this.warmth?.catch(() => null)
    this.warmth = null
    if (known && stillGood(known.session)) return known
    await known?.preload?.destroy()
    return this.renew()
  }

  /** Asks for a new session. */
  private async renew(): Promise<Warmth> {
    const old = this.state.session
    const session = await startPlay(this.title)
    if (old) endSession(old.session)
    this.set({ session })
    await this.attached
    this.player.configure(settingsFor(session, this.state.protocol, this.tastes()))
    return { session, preload: null }
  }

  /** Plays from the very start, whatever was watched before. */
  async startOver(clicked: number): Promise<void> {
    await this.start(clicked)
    this.seekTo(0)
  }

  private async load(what: string | shaka.media.PreloadManager, at: number | null): Promise<void> {
    await this.player.load(what, at, manifestType(this.state.protocol))
    this.readTracks()
    this.showLikedText()
  }

  /** Subtitles in the language that the profile likes, until the viewer chose otherwise. */
  private showLikedText(): void {
    const wanted = this.lastText ?? this.tastes().text
    if (wanted === '') return
    const found = this.state.text.find((choice) => choice.track.language === wanted) ?? this.state.text.find((choice) => choice.track.language.split('-')[0] === wanted.split('-')[0])
    if (found && !found.active) this.chooseText(found.track)
  }

  /** Starts again where it stopped, with a new session. */
  async retry(): Promise<void> {
    const at = this.state.position
    this.set({ phase: 'starting', failure: null, waiting: false })
    try {
      const { session } = await this.renew()
      await this.load(manifestOf(session, this.state.protocol), at)
      await this.video.play()
    } catch (error) {
      this.fail(error)
    }
  }

  /** Goes on by the other protocol, at the same place. */
  async switchTo(protocol: Protocol): Promise<void> {
    if (protocol === this.state.protocol) return
    const begun = !['cold', 'warming', 'warm'].includes(this.state.phase)
    this.set({ protocol })
    if (begun) {
      await this.retry()
      return
    }
    const stale = this.warmth
    this.warmth = null
    this.set({ phase: 'cold' })
    await (await stale?.catch(() => null))?.preload?.destroy()
    await this.warm()
  }

  /** Nobody sees it any more: stops and lets go of everything. */
  async destroy(): Promise<void> {
    this.beats?.rest('ended')
    this.letGo()
    this.ending.abort()
    const warmth = await this.warmth?.catch(() => null)
    await warmth?.preload?.destroy()
    await this.player.destroy()
    if (window.__matinee === this.diagnostics) delete window.__matinee
  }

  toggle(): void {
    if (this.video.paused) void this.video.play().catch((error: unknown) => this.fail(error))
    else this.video.pause()
  }

  seekTo(seconds: number): void {
    const end = Number.isFinite(this.video.duration) ? this.video.duration : this.state.duration
    this.video.currentTime = Math.max(0, Math.min(seconds, end))
    this.readTime()
  }

  seekBy(seconds: number): void {
    this.seekTo(this.video.currentTime + seconds)
  }

  /** One frame on or back, by the rendition's frame rate. */
  step(direction: 1 | -1): void {
    const rate = this.state.video.find((choice) => choice.active)?.track.frameRate ?? 24
    this.video.pause()
    this.seekBy(direction / rate)
  }

  setVolume(volume: number): void {
    this.video.volume = Math.max(0, Math.min(1, volume))
    this.video.muted = this.video.volume === 0
  }

  setMuted(muted: boolean): void {
    this.video.muted = muted
  }

  setRate(rate: number): void {
    this.video.playbackRate = rate
  }

  changeRate(direction: 1 | -1): void {
    this.setRate(nextSpeed(this.state.rate, direction))
  }

  /** Lets the network choose the height. */
  chooseAutomatic(): void {
    this.player.configure('abr.enabled', true)
    this.set({ automatic: true })
  }

  /** Keeps to one height from here on; what is buffered of another is dropped, a moment's worth aside. */
  chooseVideo(track: shaka.extern.VideoTrack): void {
    this.player.configure('abr.enabled', false)
    this.player.selectVideoTrack(track, true, 1)
    this.set({ automatic: false })
    this.readTracks()
  }

  chooseAudio(track: shaka.extern.AudioTrack): void {
    this.player.selectAudioTrack(track)
    this.readTracks()
  }

  /** Shows captions, or none. */
  chooseText(track: shaka.extern.TextTrack | null): void {
    if (track) this.remembered = track.language
    this.lastText = track?.language ?? ''
    this.player.selectTextTrack(track)
    this.readTracks()
  }

  /** Captions off, or on in the language last used, the page's, or the first. */
  toggleCaptions(): void {
    const { text } = this.state
    if (text.some((choice) => choice.active)) {
      this.chooseText(null)
      return
    }
    const wanted = [this.remembered, this.tastes().text, ...navigator.languages.map((tag) => tag.split('-')[0])]
    const found = wanted.map((language) => text.find((choice) => choice.track.language === language)).find(Boolean)
    this.chooseText(found?.track ?? text[0]?.track ?? null)
  }

  /** What the statistics overlay shows; read when it is drawn. */
  statistics(): Statistics {
    const stats = this.player.getStats()
    const info = this.player.drmInfo()
    return {
      protocol: this.state.protocol,
      width: this.video.videoWidth,
      height: this.video.videoHeight,
      codecs: stats.currentCodecs,
      streamBandwidth: stats.streamBandwidth,
      estimatedBandwidth: stats.estimatedBandwidth,
      bufferedSeconds: Math.max(0, this.state.buffered - this.video.currentTime),
      decodedFrames: stats.decodedFrames,
      droppedFrames: stats.droppedFrames,
      startupMs: this.diagnostics.startupMs,
      warm: this.diagnostics.warm,
      stalls: this.diagnostics.stalls,
      keySystem: info?.keySystem ?? null,
      scheme: info?.encryptionScheme ?? null,
      switches: stats.switchHistory.length,
    }
  }

  private listen(): void {
    const { signal } = this.ending
    const on = (name: keyof HTMLVideoElementEventMap, run: () => void) => this.video.addEventListener(name, run, { signal })
    on('play', () => this.set({ phase: this.begun() ? 'playing' : this.state.phase }))
    on('playing', () => {
      this.set({ phase: 'playing', waiting: false })
      this.heartbeats()?.begin()
    })
    on('pause', () => {
      // A film that ends pauses first.
      if (this.video.ended) return
      if (this.begun()) this.set({ phase: 'paused' })
      this.beats?.rest('paused')
    })
    on('seeked', () => {
      if (this.begun()) this.beats?.beat(this.video.paused ? 'paused' : 'playing')
    })
    on('ended', () => {
      this.set({ phase: 'ended' })
      this.beats?.rest('ended')
    })
    // The page may not come back from being hidden.
    window.addEventListener('pagehide', () => {
      this.beats?.rest('ended')
      this.letGo()
    }, { signal })
    // A page that came back has no session any more.
    window.addEventListener('pageshow', ({ persisted }) => { if (persisted && this.begun()) void this.retry() }, { signal })
    on('timeupdate', () => this.readTime())
    on('progress', () => this.readTime())
    on('durationchange', () => this.readTime())
    on('volumechange', () => this.set({ volume: this.video.volume, muted: this.video.muted }))
    // While it waits for data the player holds the rate at 0, and takes the chosen one up again by itself.
    on('ratechange', () => { if (this.video.playbackRate > 0) this.set({ rate: this.video.playbackRate }) })
    const player = this.player
    player.addEventListener('error', (event: Event) => this.fail((event as Event & { detail: unknown }).detail))
    for (const name of ['trackschanged', 'adaptation', 'variantchanged', 'textchanged', 'audiotrackschanged'])
      player.addEventListener(name, () => this.readTracks())
    player.addEventListener('buffering', (event: Event) => {
      const { buffering } = event as Event & { buffering: boolean }
      if (buffering && this.state.phase === 'playing' && !this.video.seeking) this.diagnostics.stalls += 1
      this.set({ waiting: buffering })
    })
  }

  /** Of the session that plays. */
  private heartbeats(): Heartbeats | null {
    const { session } = this.state
    if (session && this.beats?.session !== session.session) {
      this.beats?.rest('ended')
      const place = () => ({ positionSeconds: this.video.currentTime, durationSeconds: this.state.duration })
      this.beats = new Heartbeats(this.title, session.session, place, () => this.quality(), session.heartbeatSeconds * 1000 || EVERY_MS)
    }
    return this.beats
  }

  private quality(): Quality {
    const { streamBandwidth, droppedFrames, bufferingTime, estimatedBandwidth, bytesDownloaded } = this.player.getStats()
    return this.report.since({
      startMs: this.diagnostics.startupMs ?? 0, stalls: this.diagnostics.stalls, stalledMs: bufferingTime * 1000, droppedFrames,
      bitsPerSecond: streamBandwidth, throughputBitsPerSecond: bytesDownloaded >= MEASURED_BYTES ? estimatedBandwidth : 0,
      height: this.video.videoHeight, error: this.state.failure?.detail ?? '',
    })
  }

  /** The session no longer counts against the account's streams. */
  private letGo(): void {
    if (this.state.session) endSession(this.state.session.session)
  }

  private begun(): boolean {
    return ['starting', 'playing', 'paused', 'ended'].includes(this.state.phase)
  }

  private readTime(): void {
    const { currentTime, duration, buffered } = this.video
    if (!this.begun()) return
    let end = currentTime
    for (let i = 0; i < buffered.length; i += 1)
      if (buffered.start(i) <= currentTime + 0.1 && buffered.end(i) > end) end = buffered.end(i)
    this.set({ position: currentTime, buffered: end, duration: Number.isFinite(duration) ? duration : this.state.duration })
  }

  private readTracks(): void {
    this.set({
      video: videoChoices(this.player.getVideoTracks()),
      audio: audioChoices(this.player.getAudioTracks()),
      text: textChoices(this.player.getTextTracks()),
    })
  }

  private fail(error: unknown): void {
    if (this.ending.signal.aborted || isInterrupted(error)) return
    if (isRunOut(error) && this.begun() && performance.now() - this.renewedAt > RENEW_AGAIN_MS) {
      this.renewedAt = performance.now()
      void this.retry()
      return
    }
    this.set({ phase: 'failed', waiting: false, failure: failureOf(error) })
  }

  private set(change: Partial<PlaybackState>): void {
    this.state = { ...this.state, ...change }
    for (const changed of this.listeners) changed()
  }
}

/** Where to begin, for the player; its own choice at the start. */
const resumeAt = (session: PlaySession): number | null => (session.resumeSeconds > 0 ? session.resumeSeconds : null)

function stillGood(session: PlaySession): boolean {
  return session.expires === null || Date.parse(session.expires) - Date.now() > LEAST_LEFT_MS
}

/** A newer load, or leaving the page, put an end to this one: nobody needs to hear of it. */
function isInterrupted(error: unknown): boolean {
  if (error instanceof DOMException) return error.name === 'AbortError'
  const interrupted: number[] = [shaka.util.Error.Code.LOAD_INTERRUPTED, shaka.util.Error.Code.OBJECT_DESTROYED]
  return error instanceof shaka.util.Error && interrupted.includes(error.code as number)
}
