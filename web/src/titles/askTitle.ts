/** A title's page: in this screen's shape, or plainly from the catalogue where that shape can't be had. */
import { Refused } from '../api/ask'
import { getTitlePage } from '../api/browse'
import { getTitle } from '../api/client'
import type { Title, TitlePage } from '../api/types'

/** What the catalogue alone knows. Whether it may be played is then told by the click. */
export function plainPage(title: Title): TitlePage {
  return {
    id: title.id, kind: 'movie', name: title.name, originalName: '', year: 0, maturityAge: 0, description: title.description, genres: [], people: [], audioLanguages: [], subtitleLanguages: [],
    durationSeconds: title.durationSeconds, artwork: { backdrop: title.artwork, colour: '' }, playable: true, credits: title.credits, license: title.license, similar: [],
  }
}

export async function askTitle(id: string, signal: AbortSignal): Promise<TitlePage> {
  try {
    return await getTitlePage(id, signal)
  } catch (error) {
    if (signal.aborted || (error instanceof Refused && [401, 402, 403].includes(error.status))) throw error
    return plainPage(await getTitle(id, signal))
  }
}
