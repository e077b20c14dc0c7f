/** The player: a picture with its controls. Until it is played, a large button over the artwork. */
import { type KeyboardEvent, type ReactElement, useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import type { Title } from '../api/types'
import { setParameter } from '../router'
import { clock } from '../words/time'
import { Icon } from './icons'
import { KEY_HELP, type KeyAction, actionFor } from './keys'
import { Playback, type PlaybackState } from './playback'
import type { Protocol } from './settings'
import { SettingsMenu } from './SettingsMenu'
import { type Sprite, parseSprites } from './sprites'
import { StatsOverlay } from './StatsOverlay'
import { Timeline } from './Timeline'

type Panel = 'settings' | 'help' | null
/** How long the controls stay after the pointer's last move. */
const CONTROLS_MS = 3000
/** Fetching ahead waits for a pause in the page's own work, this long at most. */
const IDLE_MS = 200

function protocolInAddress(): Protocol {
  // HLS begins sooner: its playlists are smaller than the one description of DASH.
  return new URLSearchParams(window.location.search).get('protocol') === 'dash' ? 'dash' : 'hls'
}

/** Whether to fetch ahead; `?warm=off` measures a click without. */
const mayWarm = (): boolean => new URLSearchParams(window.location.search).get('warm') !== 'off'

export default function PlayerView({ title }: { title: Title }): ReactElement {
  const stage = useRef<HTMLDivElement>(null)
  const video = useRef<HTMLVideoElement>(null)
  const [playback, setPlayback] = useState<Playback | null>(null)

  useEffect(() => {
    if (!video.current || !stage.current) return
    const made = new Playback(title.id, video.current, stage.current, protocolInAddress(), title.durationSeconds)
    setPlayback(made)
    const idle = mayWarm() ? requestIdleCallback(() => void made.warm(), { timeout: IDLE_MS }) : 0
    return () => {
      cancelIdleCallback(idle)
      setPlayback(null)
      void made.destroy()
    }
  }, [title.id, title.durationSeconds])

  return (
    <div className="stage" ref={stage}>
      {/* Captions are drawn by the player, from the manifest's tracks. */}
      <video ref={video} className="picture" playsInline preload="auto" aria-label={title.name} />
      {playback && <Controls title={title} playback={playback} stage={stage} />}
    </div>
  )
}

interface ControlsProps {
  title: Title
  playback: Playback
  stage: React.RefObject<HTMLDivElement | null>
}

function Controls({ title, playback, stage }: ControlsProps): ReactElement {
  const state = useSyncExternalStore(playback.subscribe, playback.snapshot)
  const [panel, setPanel] = useState<Panel>(null)
  const [stats, setStats] = useState(false)
  const sprites = useSprites(state)
  const fullscreen = useFullscreen(stage)
  const shown = useShown(stage, state, panel !== null)
  const unstarted = ['cold', 'warming', 'warm'].includes(state.phase)

  const setProtocol = (protocol: Protocol) => {
    setParameter('protocol', protocol === 'hls' ? null : protocol)
    void playback.switchTo(protocol)
  }
  const act = useCallback(
    (action: KeyAction) => {
      switch (action.do) {
        case 'toggle': { playback.toggle(); return; }
        case 'seekBy': { playback.seekBy(action.seconds); return; }
        case 'seekToShare': { playback.seekTo(playback.snapshot().duration * action.share); return; }
        case 'volumeBy': { playback.setVolume(playback.snapshot().volume + action.step); return; }
        case 'mute': { playback.setMuted(!playback.snapshot().muted); return; }
        case 'captions': { playback.toggleCaptions(); return; }
        case 'fullscreen': { fullscreen.toggle(); return; }
        case 'slower': { playback.changeRate(-1); return; }
        case 'faster': { playback.changeRate(1); return; }
        case 'frame': { playback.step(action.direction); return; }
        case 'stats': { setStats((open) => !open); return; }
        case 'help': { setPanel((open) => (open === 'help' ? null : 'help')); return; }
        case 'close': { setPanel(null); return; }
      }
    },
    [playback, fullscreen],
  )
  useKeys(act, !unstarted && state.phase !== 'failed')

  if (unstarted) return <Poster title={title} playback={playback} state={state} />

  return (
    <>
      <button
        type="button"
        className="surface"
        tabIndex={-1}
        aria-label={state.phase === 'playing' ? 'Pause' : 'Play'}
        onClick={() => (panel ? setPanel(null) : playback.toggle())}
        onDoubleClick={fullscreen.toggle}
      />
      {(state.waiting || state.phase === 'starting') && <div className="spinner" role="status" aria-label="Loading" />}
      {stats && <StatsOverlay playback={playback} />}
      {panel === 'help' && <KeyHelp close={() => setPanel(null)} />}
      {state.failure && <Failed state={state} playback={playback} />}
      <div className="controls" data-shown={shown} role="group" aria-label="Player controls">
        {panel === 'settings' && (
          <SettingsMenu playback={playback} state={state} setProtocol={setProtocol} close={() => setPanel(null)} />
        )}
        <Timeline
          position={state.position}
          duration={state.duration}
          buffered={state.buffered}
          sprites={sprites}
          seek={(seconds) => playback.seekTo(seconds)}
        />
        <div className="buttons">
          <PlayButton state={state} playback={playback} />
          <Volume state={state} playback={playback} />
          <span className="time">{clock(state.position)} / {clock(state.duration)}</span>
          <span className="spread" />
          {state.rate !== 1 && <span className="badge">{state.rate}×</span>}
          <span className="badge" data-testid="quality" title={state.automatic ? 'Quality, chosen automatically' : 'Quality'}>
            {state.video.find((choice) => choice.active)?.label ?? ''}
          </span>
          {state.text.length > 0 && (
            <IconButton icon="captions" label="Captions" pressed={state.text.some((choice) => choice.active)} run={() => playback.toggleCaptions()} />
          )}
          <IconButton icon="settings" label="Settings" expanded={panel === 'settings'} run={() => setPanel(panel === 'settings' ? null : 'settings')} />
          <IconButton icon="help" label="Keyboard help" expanded={panel === 'help'} run={() => setPanel(panel === 'help' ? null : 'help')} />
          <IconButton icon={fullscreen.on ? 'windowed' : 'fullscreen'} label={fullscreen.on ? 'Leave full screen' : 'Full screen'} run={fullscreen.toggle} />
        </div>
      </div>
    </>
  )
}

function Poster({ title, playback, state }: { title: Title; playback: Playback; state: PlaybackState }): ReactElement {
  const warm = () => {
    if (mayWarm()) void playback.warm()
  }
  const resume = state.session?.resumeSeconds ?? 0
  return (
    <>
      <button
        type="button"
        className="poster"
        data-warm={state.phase === 'warm'}
        aria-label={`Play ${title.name}`}
        onPointerEnter={warm}
        onFocus={warm}
        onClick={(event) => void playback.start(event.timeStamp)}
      >
        {title.artwork && <img src={title.artwork} alt="" />}
        <span className="poster-play"><Icon name="play" /></span>
      </button>
      {resume > 0 && (
        <p className="poster-resume">
          <span>Goes on at {clock(resume)}</span>
          <button type="button" className="button small" onClick={(event) => void playback.startOver(event.timeStamp)}>From the start</button>
        </p>
      )}
    </>
  )
}

function PlayButton({ state, playback }: { state: PlaybackState; playback: Playback }): ReactElement {
  if (state.phase === 'ended') return <IconButton icon="replay" label="Play again" run={() => playback.toggle()} />
  const plays = state.phase === 'playing' || state.phase === 'starting'
  return <IconButton icon={plays ? 'pause' : 'play'} label={plays ? 'Pause' : 'Play'} run={() => playback.toggle()} />
}

function Volume({ state, playback }: { state: PlaybackState; playback: Playback }): ReactElement {
  const silent = state.muted || state.volume === 0
  return (
    <span className="volume">
      <IconButton icon={silent ? 'mute' : 'loud'} label={silent ? 'Unmute' : 'Mute'} run={() => playback.setMuted(!state.muted)} />
      <input
        type="range"
        aria-label="Volume"
        min={0}
        max={1}
        step={0.05}
        value={silent ? 0 : state.volume}
        onChange={(event) => playback.setVolume(event.currentTarget.valueAsNumber)}
      />
    </span>
  )
}

interface IconButtonProps {
  icon: Parameters<typeof Icon>[0]['name']
  label: string
  run: () => void
  pressed?: boolean
  expanded?: boolean
}

function IconButton({ icon, label, run, pressed, expanded }: IconButtonProps): ReactElement {
  return (
    <button type="button" className="icon-button" aria-label={label} title={label} aria-pressed={pressed} aria-expanded={expanded} onClick={run}>
      <Icon name={icon} />
    </button>
  )
}

function Failed({ state, playback }: { state: PlaybackState; playback: Playback }): ReactElement | null {
  if (!state.failure) return null
  const { what, advice, detail, retryable } = state.failure
  return (
    <div className="failure" role="alert">
      <p className="failure-what">{what}</p>
      <p>{advice}</p>
      {retryable && <button type="button" className="button primary" onClick={() => void playback.retry()}>Try again</button>}
      <p className="failure-detail">{detail}</p>
    </div>
  )
}

function KeyHelp({ close }: { close: () => void }): ReactElement {
  return (
    <section className="key-help" aria-label="Keyboard">
      <header>
        <h2>Keyboard</h2>
        <IconButton icon="close" label="Close" run={close} />
      </header>
      <dl>
        {KEY_HELP.map(([keys, meaning]) => (
          <div key={keys}>
            <dt>{keys}</dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

/** The thumbnails of the session that plays; none until they came, and none where there are none. */
function useSprites({ session, phase }: PlaybackState): Sprite[] {
  const [sprites, setSprites] = useState<Sprite[]>([])
  const address = session?.thumbnails ?? ''
  // After the first frame, so that they never compete with it.
  const wanted = address !== '' && (phase === 'playing' || phase === 'paused')
  useEffect(() => {
    if (!wanted) return
    const leaving = new AbortController()
    const absolute = new URL(address, window.location.href).href
    fetch(absolute, { signal: leaving.signal })
      .then((response) => (response.ok ? response.text() : ''))
      .then((text) => setSprites(parseSprites(text, absolute)))
      .catch(() => setSprites([]))
    return () => leaving.abort()
  }, [address, wanted])
  return sprites
}

function useFullscreen(stage: ControlsProps['stage']): { on: boolean; toggle: () => void } {
  const [on, setOn] = useState(false)
  useEffect(() => {
    const changed = () => setOn(document.fullscreenElement !== null)
    document.addEventListener('fullscreenchange', changed)
    return () => document.removeEventListener('fullscreenchange', changed)
  }, [])
  const toggle = useCallback(() => {
    const change = document.fullscreenElement ? document.exitFullscreen() : stage.current?.requestFullscreen()
    // Refused where the page is framed without permission: the film goes on as it is.
    change?.catch(() => undefined)
  }, [stage])
  return { on, toggle }
}

/** Whether the controls are seen: while the pointer moves, something in them is focused, a panel is open, or it is paused. */
function useShown(stage: ControlsProps['stage'], { phase }: PlaybackState, open: boolean): boolean {
  const [awake, setAwake] = useState(true)
  useEffect(() => {
    const element = stage.current
    if (!element) return
    let timer = 0
    const wake = () => {
      setAwake(true)
      window.clearTimeout(timer)
      timer = window.setTimeout(() => setAwake(false), CONTROLS_MS)
    }
    const names = ['pointermove', 'pointerdown', 'focusin', 'keydown'] as const
    for (const name of names) element.addEventListener(name, wake)
    wake()
    return () => {
      window.clearTimeout(timer)
      for (const name of names) element.removeEventListener(name, wake)
    }
  }, [stage])
  return awake || open || phase !== 'playing'
}

/** Keys work anywhere on the page, save where they have a meaning of their own. */
function useKeys(act: (action: KeyAction) => void, active: boolean): void {
  useEffect(() => {
    if (!active) return
    const pressed = (event: globalThis.KeyboardEvent) => {
      if (event.defaultPrevented || isTakenBy(event.target, event.key)) return
      const action = actionFor(event)
      if (!action) return
      event.preventDefault()
      act(action)
    }
    window.addEventListener('keydown', pressed)
    return () => window.removeEventListener('keydown', pressed)
  }, [act, active])
}

/** Space and Enter press a focused button or link; text fields and menus take every key; a slider leaves arrows to us. */
function isTakenBy(target: EventTarget | null, key: KeyboardEvent['key']): boolean {
  if (!(target instanceof Element)) return false
  if (target.closest('textarea, select, input:not([type=range]), [role=menu], [contenteditable=true]')) return true
  return (key === ' ' || key === 'Enter') && target.closest('button, a') !== null
}
