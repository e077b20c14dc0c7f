import { describe, expect, test } from 'vitest'
import { type FilmWords, companionMetadata, complaints, languageIn, masterMetadata, titleFrom, withFiles } from './companions'

const file = (name: string, content = 'x') => new File([content], name)
const none = { master: null, companions: [], refused: [] }
const words: FilmWords = { title: 'Bunny', titleId: '', description: '', year: '', credits: '', license: '' }

describe('picked files', () => {
  test('are sorted into the film, its subtitles and its artwork', () => {
    const picked = withFiles(none, [file('bunny.mp4'), file('bunny.en.srt'), file('bunny.pt-BR.vtt'), file('a.jpg'), file('b.png')])
    expect(picked.master?.name).toBe('bunny.mp4')
    expect(picked.companions.map((c) => [c.file.name, c.kind, c.language])).toEqual([
      ['bunny.en.srt', 'subtitles', 'en'],
      ['bunny.pt-BR.vtt', 'subtitles', 'pt-BR'],
      ['b.png', 'artwork', ''],
    ])
  })

  test('that are empty are refused by name', () => {
    expect(withFiles(none, [file('void.mkv', '')])).toEqual({ ...none, refused: ['void.mkv is empty'] })
  })
})

test('the language is read from the name only where there is one', () => {
  expect(languageIn('film.en.srt')).toBe('en')
  expect(languageIn('film.zh_Hant.vtt')).toBe('zh-Hant')
  expect(languageIn('film.srt')).toBe('')
  expect(languageIn('the.final-cut-of-everything.srt')).toBe('')
})

test('what keeps an upload from beginning is said', () => {
  expect(complaints(none, { ...words, title: ' ' })).toHaveLength(2)
  const picked = withFiles(none, [file('a.mkv'), file('subs.srt')])
  expect(complaints(picked, words)).toEqual(['Name the language of subs.srt, such as en or pt-BR.'])
  expect(complaints(withFiles(none, [file('a.mkv')]), { ...words, titleId: 'No Good', year: '19' })).toHaveLength(2)
  expect(complaints(withFiles(none, [file('a.mkv')]), words)).toEqual([])
})

test('metadata names what there is and nothing else', () => {
  const picked = withFiles(none, [file('a.mkv'), file('a.de.srt')])
  expect(masterMetadata(file('a.mkv'), { ...words, year: '2008' }, 1)).toEqual({ filename: 'a.mkv', title: 'Bunny', year: '2008', sidecars: '1' })
  expect(picked.companions.map((c) => companionMetadata(c, 'm1'))).toEqual([{ filename: 'a.de.srt', kind: 'subtitles', for: 'm1', language: 'de' }])
  expect(titleFrom('big_buck.bunny.mp4')).toBe('Big buck bunny')
})
