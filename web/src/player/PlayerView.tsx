/** The player: a picture with its controls. Until it is played, a large button over the artwork. */
import { type KeyboardEvent, type ReactElement, useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import type { TitlePage } from '../api/types'
import { Link, go, setParameter, titlePath } from '../router'
import { useMe } from '../session/me'
import { clock } from '../words/time'
import '../design/player.css'
import { Icon } from '../design/icons'
import { mayWarm, protocolInAddress } from './address'
import { Asides } from './Asides'
import { KEY_HELP, type KeyAction, actionFor } from './keys'
import { Playback } from './playback'
import type { PlaybackState } from './playbackState'
import type { Protocol } from './settings'
import { SettingsMenu } from './SettingsMenu'
import { Poster } from './Poster'
import { type Sprite, parseSprites } from './sprites'
import { StatsOverlay } from './StatsOverlay'
import { Timeline } from './Timeline'
import { useTheatre } from './useTheatre'

type Panel = 'settings' | 'help' | null
/** How long the controls stay after the pointer's last move. */
const CONTROLS_MS = 3000
/** Fetching ahead waits for a pause in the page's own work, this long at most. */
const IDLE_MS = 200

export default function PlayerView({ title, autoplay }: { title: TitlePage; autoplay: boolean }): ReactElement {
  const stage = useRef<HTMLDivElement>(null)
  const video = useRef<HTMLVideoElement>(null)
  const [playback, setPlayback] = useState<Playback | null>(null)
  // Leaving the film is the next round: with its poster again.
  const [round, setRound] = useState(0)
  const [begun, setBegun] = useState(false)
  const profile = useMe()?.profile
  const tastes = useRef({ audio: '', text: '' })
  useEffect(() => {
    tastes.current = { audio: profile?.audioLanguage ?? '', text: profile?.subtitleLanguage ?? '' }
  }, [profile])

  useEffect(() => {
    if (!video.current || !stage.current) return
    const made = new Playback(title.id, video.current, stage.current, protocolInAddress(), title.durationSeconds, () => tastes.current)
    setPlayback(made)
    if (autoplay && round === 0) void made.start(performance.now())
    const idle = mayWarm() ? requestIdleCallback(() => void made.warm(), { timeout: IDLE_MS }) : 0
    return () => {
      cancelIdleCallback(idle)
      setPlayback(null)
      void made.destroy()
    }
  }, [title.id, title.durationSeconds, autoplay, round])

  return (
    <div className="stage" ref={stage} data-theatre={begun}>
      {/* Captions are drawn by the player, from the manifest's tracks. A player lets go of its element in its own time: the next has its own. */}
      <video key={round} ref={video} className="picture" playsInline preload="auto" aria-label={title.name} />
      {playback && <Controls title={title} playback={playback} stage={stage} autoplayNext={profile?.autoplayNext ?? true} leave={() => setRound(round + 1)} tellBegun={setBegun} />}
    </div>
  )
}

interface ControlsProps {
  title: TitlePage
  playback: Playback
  stage: React.RefObject<HTMLDivElement | null>
  autoplayNext: boolean
  /** Back to the title's page. */
  leave: () => void
  /** Whether the film fills the window. */
  tellBegun: (begun: boolean) => void
}

function Controls({ title, playback, stage, autoplayNext, leave, tellBegun }: ControlsProps): ReactElement {
  const state = useSyncExternalStore(playback.subscribe, playback.snapshot)
  const [panel, setPanel] = useState<Panel>(null)
  const [stats, setStats] = useState(false)
  const sprites = useSprites(state)
  const fullscreen = useFullscreen(stage)
  const shown = useShown(stage, state, panel !== null)
  const unstarted = ['cold', 'warming', 'warm'].includes(state.phase)
  useTheatre(stage, !unstarted)
  useEffect(() => tellBegun(!unstarted), [tellBegun, unstarted])

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
        case 'controls': { stage.current?.querySelector<HTMLElement>('[data-control="play"]')?.focus(); return; }
        case 'leave': { leave(); return; }
        case 'close': {
          if (panel) setPanel(null)
          else if (!fullscreen.on) leave()
          return
        }
      }
    },
    [playback, fullscreen, panel, leave, stage],
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
      <div className="stage-head" data-shown={shown}>
        <IconButton icon="back" label="Back" run={leave} />
        <span className="stage-title">{title.series ? `${title.series.name} · ` : ''}{title.name}</span>
      </div>
      {stats && <StatsOverlay playback={playback} />}
      {panel === 'help' && <KeyHelp close={() => setPanel(null)} />}
      {!state.failure && <Asides title={title} playback={playback} state={state} autoplayNext={autoplayNext} />}
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
        <div className="buttons" onKeyDown={walkButtons}>
          <PlayButton state={state} playback={playback} />
          <IconButton icon="rewind" label="Back 10 seconds" run={() => playback.seekBy(-10)} />
          <Volume state={state} playback={playback} />
          <span className="time">{clock(state.position)} / {clock(state.duration)}</span>
          <span className="spread" />
          {state.rate !== 1 && <span className="badge">{state.rate}×</span>}
          <span className="badge" data-testid="quality" title={state.automatic ? 'Quality, chosen automatically' : 'Quality'}>
            {state.video.find((choice) => choice.active)?.label ?? ''}
          </span>
          {(state.session?.next ?? title.next) && <IconButton icon="next" label="Next episode" run={() => go(titlePath((state.session?.next ?? title.next)?.title ?? ''), 'play')} />}
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

function PlayButton({ state, playback }: { state: PlaybackState; playback: Playback }): ReactElement {
  if (state.phase === 'ended') return <IconButton icon="replay" label="Play again" control="play" run={() => playback.toggle()} />
  const plays = state.phase === 'playing' || state.phase === 'starting'
  return <IconButton icon={plays ? 'pause' : 'play'} label={plays ? 'Pause' : 'Play'} control="play" run={() => playback.toggle()} />
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
  /** By which keys find it. */
  control?: 'play'
}

function IconButton({ icon, label, run, pressed, expanded, control }: IconButtonProps): ReactElement {
  return (
    <button type="button" className="icon-button" data-control={control} aria-label={label} title={label} aria-pressed={pressed} aria-expanded={expanded} onClick={run}>
      <Icon name={icon} />
    </button>
  )
}

function Failed({ state, playback }: { state: PlaybackState; playback: Playback }): ReactElement | null {
  if (!state.failure) return null
  const { what, advice, detail, retryable, way } = state.failure
  return (
    <div className="failure" role="alert">
      <p className="failure-what">{what}</p>
      <p>{advice}</p>
      {retryable && <button type="button" className="button primary" onClick={() => void playback.retry()}>Try again</button>}
      {way && <Link href={way.href} className="button bright large">{way.label}</Link>}
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

/** Along the buttons, arrows go from one to the next, as a remote control's do. */
function walkButtons(event: KeyboardEvent<HTMLDivElement>): void {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
  if (by === undefined || event.target instanceof HTMLInputElement) return
  const buttons = [...event.currentTarget.querySelectorAll('button')]
  const to = buttons[buttons.indexOf(document.activeElement as HTMLButtonElement) + by]
  event.preventDefault()
  to?.focus()
}

/** Space and Enter press a focused button or link; text fields and menus take every key; a slider leaves arrows to us. */
function isTakenBy(target: EventTarget | null, key: KeyboardEvent['key']): boolean {
  if (!(target instanceof Element)) return false
  if (target.closest('textarea, select, input:not([type=range]), [role=menu], [contenteditable=true]')) return true
  return (key === ' ' || key === 'Enter') && target.closest('button, a') !== null
}
