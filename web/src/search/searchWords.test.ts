import { expect, test } from 'vitest'
import { NO_WORDS, filtered, genreId, genreName, wordsIn } from './searchWords'

test('a search stands in the address, and an odd address asks for nothing odd', () => {
  expect(wordsIn('?q=big+bukc&genre=animation&yearFrom=2005')).toEqual({ ...NO_WORDS, q: 'big bukc', genre: 'animation', yearFrom: '2005' })
  expect(wordsIn('?yearFrom=soon&other=1')).toEqual(NO_WORDS)
  expect(filtered(wordsIn('?q=a'))).toBe(false)
  expect(filtered(wordsIn('?kind=series'))).toBe(true)
})

test('a genre has a name to read', () => {
  expect(genreName('science-fiction')).toBe('Science fiction')
  expect(genreName({ id: 'drama', name: 'drama' })).toBe('Drama')
  expect(genreId({ id: 'drama', name: 'Drama' })).toBe('drama')
})
