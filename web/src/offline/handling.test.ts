import { expect, test } from 'vitest'
import { handlingOf } from './handling'

test('pages, files, pictures and the last home are kept; film, money and the studio pass by', () => {
  const of = (path: string, mode = 'cors'): string => handlingOf('GET', path, mode, false)
  expect(of('/title/film', 'navigate')).toBe('page')
  expect(of('/assets/index-1a2b.js')).toBe('file')
  expect(of('/api/artwork/film/poster')).toBe('picture')
  expect(of('/api/web/home')).toBe('answer')
  expect(of('/api/invoices/1', 'navigate')).toBe('pass')
  expect(of('/api/subscription')).toBe('pass')
  expect(of('/api/studio/catalog/titles')).toBe('pass')
  expect(of('/v/abc/cbcs/video/1.m4s')).toBe('pass')
  expect(handlingOf('POST', '/api/heartbeats', 'cors', false)).toBe('pass')
  expect(handlingOf('GET', '/assets/film.mp4', 'cors', true)).toBe('pass')
})
