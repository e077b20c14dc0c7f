/** The picture above a series, with the episode to play next. */
import { type ReactElement, useEffect } from 'react'
import type { Episode, TitlePage } from '../api/types'
import { Artwork } from '../design/Artwork'
import { Icon } from '../design/icons'
import { go, goInstead, titlePath } from '../router'
import { named, upNext } from './episodes'

export function TitleHead({ title, autoplay }: { title: TitlePage; autoplay: boolean }): ReactElement {
  const found = named(title.seasons ?? [], title.next?.title) ?? upNext(title.seasons ?? [])
  const id = found?.episode.id
  useEffect(() => {
    // A series is played by its episode.
    if (autoplay && id !== undefined) goInstead(titlePath(id))
  }, [autoplay, id])
  return (
    <div className="head">
      <Artwork artwork={title.artwork} kind="backdrop" name={title.name} sizes="100vw" eager />
      {found && (
        <p className="head-deeds" data-spatial>
          <button type="button" className="button bright large" onClick={() => go(titlePath(found.episode.id), 'play')}>
            <Icon name="play" /> {words(found)}
          </button>
        </p>
      )}
    </div>
  )
}

function words({ season, episode }: { season: number; episode: Episode }): string {
  const begun = (episode.progress ?? 0) > 0
  return `${begun ? 'Resume' : 'Play'} S${season} E${episode.episode}`
}
