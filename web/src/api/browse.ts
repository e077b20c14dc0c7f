/** What there is to watch, in the shape that this kind of screen wants. */
import { ask, get, part, send } from './ask'
import { listOf } from './account'
import { screenKind } from './screen'
import type { Card, Home, SearchAnswer, Thumb, TitlePage } from './types'

export const getHome = (signal?: AbortSignal): Promise<Home> => get(`/api/${screenKind()}/home`, signal)
export const getTitlePage = (id: string, signal?: AbortSignal): Promise<TitlePage> => get(`/api/${screenKind()}/titles/${part(id)}`, signal)

export interface SearchWords {
  q: string
  genre: string
  kind: string
  yearFrom: string
  yearUntil: string
  audio: string
}
export function searchTitles(words: SearchWords, signal?: AbortSignal): Promise<SearchAnswer> {
  const filled = Object.entries(words).filter(([, value]) => value !== '')
  return get(`/api/${screenKind()}/search?${new URLSearchParams(filled).toString()}`, signal)
}

export const listMyList = async (signal?: AbortSignal): Promise<Card[]> => {
  const answer = await get<unknown>('/api/my-list', signal)
  return listOf<Card>(answer, Array.isArray((answer as { titles?: unknown } | null)?.titles) ? 'titles' : 'items')
}
export const setListed = (id: string, listed: boolean): Promise<void> => ask(`/api/my-list/${part(id)}`, { method: listed ? 'PUT' : 'DELETE' })
export const setThumb = (id: string, thumb: Thumb): Promise<void> => send('PUT', `/api/titles/${part(id)}/thumb`, { thumb })
