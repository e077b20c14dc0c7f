/** What the player offers beside its controls: to leave the opening, and to go on with the next episode. */
import { type ReactElement, useEffect, useRef, useState } from 'react'
import type { NextTitle, TitlePage } from '../api/types'
import { Artwork } from '../design/Artwork'
import { Icon } from '../design/icons'
import { go, titlePath } from '../router'
import { offersNext, skipTo } from './chapters'
import type { Playback } from './playback'
import type { PlaybackState } from './playbackState'

/** Before the next episode begins by itself. */
const COUNTDOWN_SECONDS = 10

interface Props {
  title: TitlePage
  playback: Playback
  state: PlaybackState
  /** The next episode begins by itself. */
  autoplayNext: boolean
}

export function Asides({ title, playback, state, autoplayNext }: Props): ReactElement | null {
  const [stay, setStay] = useState(false)
  const intro = skipTo(state.position, title)
  const next = state.session?.next ?? title.next
  const offered = next && (state.phase === 'ended' || offersNext(state.position, state.duration, title))
  // Whoever goes back before the credits is asked again when they come.
  if (stay && !offered) setStay(false)
  if (next && offered && !stay) return <Next next={next} counting={autoplayNext && state.phase !== 'paused'} stay={() => setStay(true)} ended={state.phase === 'ended'} />
  if (intro !== null) return <button type="button" className="button glass large aside-skip" onClick={() => playback.seekTo(intro)}>Skip intro</button>
  return null
}

function Next({ next, counting, stay, ended }: { next: NextTitle; counting: boolean; stay: () => void; ended: boolean }): ReactElement {
  const [left, setLeft] = useState(COUNTDOWN_SECONDS)
  const button = useRef<HTMLButtonElement>(null)
  const play = (): void => go(titlePath(next.title), 'play')
  useEffect(() => button.current?.focus(), [])
  useEffect(() => {
    if (!counting) return
    const timer = window.setInterval(() => setLeft((seconds) => seconds - 1), 1000)
    return () => window.clearInterval(timer)
  }, [counting])
  const due = counting && left <= 0
  useEffect(() => {
    if (due) go(titlePath(next.title), 'play')
  }, [due, next.title])
  const place = next.season && next.episode ? `S${next.season} E${next.episode}` : ''
  return (
    <section className="up-next" aria-label="Next episode">
      <span className="up-next-picture"><Artwork artwork={next.artwork} kind="backdrop" name={next.name} sizes="14rem" /></span>
      <div className="up-next-words">
        <p className="soft">Next episode {place}</p>
        {next.name && <p className="up-next-name">{next.name}</p>}
        <p className="up-next-deeds">
          <button ref={button} type="button" className="button bright" onClick={play}><Icon name="play" /> {counting ? `Plays in ${Math.max(0, left)} s` : 'Play next episode'}</button>
          {!ended && <button type="button" className="button glass" onClick={stay}>Watch credits</button>}
        </p>
      </div>
    </section>
  )
}
