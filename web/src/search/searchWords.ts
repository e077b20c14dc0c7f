/** What is searched for, as the page's address has it. */
import type { SearchWords } from '../api/browse'

export const NO_WORDS: SearchWords = { q: '', genre: '', kind: '', yearFrom: '', yearUntil: '', audio: '' }
const NAMES = Object.keys(NO_WORDS) as (keyof SearchWords)[]

export function wordsIn(search: string): SearchWords {
  const parameters = new URLSearchParams(search)
  const words = { ...NO_WORDS }
  for (const name of NAMES) words[name] = parameters.get(name) ?? ''
  // An address that somebody made up asks for nothing odd.
  for (const name of ['yearFrom', 'yearUntil'] as const) if (!/^\d{4}$/.test(words[name])) words[name] = ''
  return words
}

/** Whether anything but the query is asked for. */
export const filtered = (words: SearchWords): boolean => NAMES.some((name) => name !== 'q' && words[name] !== '')

/** "Science fiction" for "science-fiction". */
export function genreName(genre: string | { id: string; name: string }): string {
  const name = typeof genre === 'string' ? genre.replaceAll('-', ' ') : genre.name
  return name.charAt(0).toLocaleUpperCase() + name.slice(1)
}

export const genreId = (genre: string | { id: string; name: string }): string => (typeof genre === 'string' ? genre : genre.id)
