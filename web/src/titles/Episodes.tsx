/** A series' episodes, a season at a time. */
import { type ReactElement, useState } from 'react'
import type { Episode, Season } from '../api/types'
import { Artwork } from '../design/Artwork'
import { Icon } from '../design/icons'
import { Link, titlePath } from '../router'
import { length } from '../words/time'
import { upNext } from './episodes'

const nameOf = (season: number): string => (season === 0 ? 'Specials' : `Season ${season}`)

export function Episodes({ seasons }: { seasons: Season[] }): ReactElement {
  const [chosen, setChosen] = useState(() => upNext(seasons)?.season ?? seasons[0]?.season ?? 1)
  const shown = seasons.find(({ season }) => season === chosen)
  return (
    <section className="episodes" aria-labelledby="episodes-title" data-spatial>
      <header>
        <h2 id="episodes-title">Episodes</h2>
        {seasons.length > 1 && (
          <select aria-label="Season" value={chosen} onChange={(event) => setChosen(Number(event.currentTarget.value))}>
            {seasons.map(({ season }) => <option key={season} value={season}>{nameOf(season)}</option>)}
          </select>
        )}
        {seasons.length === 1 && <span className="soft">{nameOf(chosen)}</span>}
      </header>
      <ol>{shown?.episodes.map((episode) => <li key={episode.id}><EpisodeLine episode={episode} /></li>)}</ol>
    </section>
  )
}

function EpisodeLine({ episode }: { episode: Episode }): ReactElement {
  const share = episode.progress ?? 0
  return (
    <Link href={titlePath(episode.id)} wish="play" className="episode">
      <span className="episode-number">{episode.episode}</span>
      <span className="card-picture">
        <Artwork artwork={episode.artwork} kind="backdrop" name={episode.name} sizes="12rem" />
        <span className="card-play" aria-hidden="true"><Icon name="play" /></span>
        {share > 0 && <span className="card-progress" aria-hidden="true"><span style={{ width: `${Math.round(share * 100)}%` }} /></span>}
      </span>
      <span className="episode-words">
        <span className="episode-name">{episode.name} {episode.durationSeconds ? <span className="soft">{length(episode.durationSeconds)}</span> : null}</span>
        {episode.description && <span className="episode-about">{episode.description}</span>}
      </span>
    </Link>
  )
}
