/** What is seen before the film plays: its picture, and one large thing to press. */
import type { ReactElement } from 'react'
import type { TitlePage } from '../api/types'
import { Artwork } from '../design/Artwork'
import { Icon } from '../design/icons'
import { clock } from '../words/time'
import { mayWarm } from './address'
import type { Playback } from './playback'
import type { PlaybackState } from './playbackState'

export function Poster({ title, playback, state }: { title: TitlePage; playback: Playback; state: PlaybackState }): ReactElement {
  const warm = () => {
    if (mayWarm()) void playback.warm()
  }
  const resume = state.session?.resumeSeconds ?? title.resumeSeconds ?? 0
  return (
    <>
      <button
        type="button"
        className="poster"
        data-warm={state.phase === 'warm'}
        data-spatial
        aria-label={`Play ${title.name}`}
        onPointerEnter={warm}
        onFocus={warm}
        onClick={(event) => void playback.start(event.timeStamp)}
      >
        <Artwork artwork={title.artwork} kind="backdrop" name={title.name} sizes="100vw" eager />
        <span className="poster-play" aria-hidden="true"><Icon name="play" /> Play</span>
      </button>
      {resume >= 1 && (
        <p className="poster-resume" data-spatial>
          <span>Goes on at {clock(resume)}</span>
          <button type="button" className="button glass small" onClick={(event) => void playback.startOver(event.timeStamp)}>From the start</button>
        </p>
      )}
    </>
  )
}
