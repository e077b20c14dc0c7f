/** Which episode comes next. */
import type { Episode, Season } from '../api/types'

/** Watched so far, an episode is over: closing credits are not waited for. */
const OVER = 0.95

/** The one that was begun, or the first that was not watched after the last that was; the very first else. Specials (season 0) wait. */
export function upNext(seasons: readonly Season[]): { season: number; episode: Episode } | null {
  const ordered = seasons
    .filter(({ season }) => season > 0)
    .toSorted((a, b) => a.season - b.season)
    .flatMap(({ season, episodes }) => episodes.toSorted((a, b) => a.episode - b.episode).map((episode) => ({ season, episode })))
  const begun = ordered.find(({ episode }) => (episode.progress ?? 0) > 0 && (episode.progress ?? 0) < OVER)
  if (begun) return begun
  const last = ordered.findLastIndex(({ episode }) => (episode.progress ?? 0) >= OVER)
  return ordered[last + 1] ?? ordered[0] ?? null
}

/** The episode of this id; null where it is none of these. */
export function named(seasons: readonly Season[], id: string | undefined): { season: number; episode: Episode } | null {
  for (const { season, episodes } of seasons) {
    const episode = episodes.find((each) => each.id === id)
    if (episode) return { season, episode }
  }
  return null
}
