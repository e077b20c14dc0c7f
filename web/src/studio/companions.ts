/** What comes with a master: which picked file is the film, which are subtitles and artwork, and in which language. */

export type CompanionKind = 'subtitles' | 'artwork'

export interface Companion {
  file: File
  kind: CompanionKind
  /** BCP 47; empty for artwork. */
  language: string
  /** What the viewer's menu adds to the language; may be empty. */
  label: string
}

export interface Picked {
  master: File | null
  companions: Companion[]
  /** Names of files that are of no use here. */
  refused: string[]
}

const SUBTITLES = new Set(['srt', 'vtt', 'ass', 'ssa', 'ttml', 'dfxp', 'sbv'])
const ARTWORK = new Set(['jpg', 'jpeg', 'png', 'webp', 'avif'])

const extension = (name: string): string => (name.includes('.') ? (name.split('.').at(-1) ?? '').toLowerCase() : '')

export function kindOf(name: string): CompanionKind | 'master' {
  const end = extension(name)
  if (SUBTITLES.has(end)) return 'subtitles'
  if (ARTWORK.has(end)) return 'artwork'
  return 'master'
}

/** The language in a subtitle's file name: "bunny.en.srt" is "en", "bunny.pt-BR.vtt" is "pt-BR"; empty where there is none. */
export function languageIn(name: string): string {
  const part = name.split('.').at(-2) ?? ''
  return name.split('.').length > 2 && /^[a-z]{2,3}([-_][A-Za-z0-9]{2,8})*$/i.test(part) ? part.replaceAll('_', '-') : ''
}

/** What `files` add to what was picked: the newest film and artwork replace the earlier, subtitles gather. */
export function withFiles(picked: Picked, files: readonly File[]): Picked {
  let { master } = picked
  let companions = [...picked.companions]
  const refused: string[] = []
  for (const file of files) {
    const kind = kindOf(file.name)
    if (file.size === 0) refused.push(`${file.name} is empty`)
    else if (kind === 'master') master = file
    else if (kind === 'artwork') companions = [...companions.filter((c) => c.kind !== 'artwork'), { file, kind, language: '', label: '' }]
    else {
      const others = companions.filter((c) => !(c.kind === 'subtitles' && c.file.name === file.name))
      companions = [...others, { file, kind, language: languageIn(file.name), label: '' }]
    }
  }
  return { master, companions, refused }
}

/** A title for a film whose file is all that is known: "big_buck_bunny.mp4" is "Big buck bunny". */
export function titleFrom(name: string): string {
  const bare = name.replace(/\.[^.]+$/, '').replaceAll(/[._]+/g, ' ').trim()
  return bare.charAt(0).toUpperCase() + bare.slice(1)
}

/** Whether a tag has the form of BCP 47: "en", "pt-BR", "zh-Hant". */
export const isLanguage = (tag: string): boolean => /^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/i.test(tag)

/** The words of a title, as the form has them. */
export interface FilmWords {
  title: string
  titleId: string
  description: string
  year: string
  credits: string
  license: string
}

/** What is to be put right before an upload can begin, by field; empty when nothing is. */
export function complaints(picked: Picked, words: FilmWords): string[] {
  const found: string[] = []
  if (!picked.master) found.push('Choose the film’s master file.')
  if (words.title.trim() === '') found.push('Give the film a title.')
  if (words.titleId !== '' && !/^[a-z0-9][a-z0-9-]{0,62}$/.test(words.titleId))
    found.push(`The address “${words.titleId}” can’t be used: lower-case letters, digits and hyphens, 63 at most.`)
  if (words.year !== '' && !/^\d{4}$/.test(words.year)) found.push(`The year “${words.year}” is not four digits.`)
  for (const { file, kind, language } of picked.companions)
    if (kind === 'subtitles' && !isLanguage(language)) found.push(`Name the language of ${file.name}, such as en or pt-BR.`)
  return found
}

/** The metadata of the master's upload. Empty fields are left out. */
export function masterMetadata(file: File, words: FilmWords, sidecars: number): Record<string, string> {
  const all = {
    filename: file.name, title: words.title.trim(), titleId: words.titleId, description: words.description.trim(), year: words.year,
    credits: words.credits.trim(), license: words.license.trim(), sidecars: sidecars === 0 ? '' : String(sidecars),
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''))
}

/** The metadata of a companion's upload; `master` is the id of the film's own. */
export function companionMetadata(companion: Companion, master: string): Record<string, string> {
  const { file, kind, language, label } = companion
  const all = { filename: file.name, kind, for: master, language, label: label.trim() }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''))
}
