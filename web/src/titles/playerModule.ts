/** The player's code: a chunk of its own, fetched before it is needed. */

type PlayerModule = typeof import('../player/PlayerView')

let fetched: Promise<PlayerModule> | null = null

/** Fetches the player's code, once. A failed fetch is tried again by the next caller. */
export function fetchPlayer(): Promise<PlayerModule> {
  fetched ??= import('../player/PlayerView').catch((error: unknown) => {
    fetched = null
    throw error
  })
  return fetched
}
