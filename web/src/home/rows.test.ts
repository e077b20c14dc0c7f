import { expect, test } from 'vitest'
import type { Card, Home, Row, Title, Watched } from '../api/types'
import { begunCard, heroOf, shownRows, withoutCard } from './rows'

const card = (id: string, backdrop: string | null = `/api/artwork/${id}/backdrop`): Card => ({ id, name: id, kind: 'movie', year: 0, maturityAge: 0, durationSeconds: 100, artwork: { backdrop, colour: '' } })
const row = (kind: Row['kind'], ids: string[], id: string = kind): Row => ({ id, kind, title: kind, items: ids.map((each) => card(each)) })
const home = (rows: Row[]): Home => ({ profile: null, rows, stale: false })
const title = (id: string): Title => ({
  id, name: id, description: '', credits: '', license: '', artwork: null, published: true, publishedAt: null, version: 'v', durationSeconds: 100,
})
const begun = (id: string): Watched => ({ title: title(id), resumeSeconds: 25, positionSeconds: 25, durationSeconds: 100, finished: false, at: null })

test('what was begun comes first, nothing twice, nothing empty', () => {
  const rows = shownRows(home([row('top', ['a']), row('new', []), row('top', ['b']), row('continue', ['c'])]), [])
  expect(rows.map(({ kind, items }) => [kind, items[0]?.id])).toEqual([['continue', 'c'], ['top', 'a']])
})

test('where home does not know what was begun, the history does', () => {
  const rows = shownRows(home([row('top', ['a'])]), [begun('x')])
  expect(rows.map(({ kind }) => kind)).toEqual(['continue', 'top'])
  expect(rows[0]?.items[0]).toMatchObject({ id: 'x', progress: 0.25, resumeSeconds: 25 })
  expect(begunCard({ ...begun('x'), title: { ...title('x'), durationSeconds: 0 } }).progress).toBe(0)
})

test('above the rows stands what is likeliest to please and is not on its way', () => {
  expect(heroOf([row('continue', ['a']), row('top', ['b']), row('for-you', ['a', 'c'])])?.id).toBe('c')
  expect(heroOf([row('continue', ['a']), row('new', ['a'])])?.id).toBe('a')
  expect(heroOf([{ ...row('new', []), items: [card('plain', null)] }])).toBeNull()
})

test('a title that was taken away goes, and its row with the last', () => {
  const rows = [row('continue', ['a']), row('top', ['a', 'b'])]
  expect(withoutCard(rows, 'continue', 'a').map(({ id }) => id)).toEqual(['top'])
})
