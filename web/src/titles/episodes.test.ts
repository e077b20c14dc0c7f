import { expect, test } from 'vitest'
import type { Season } from '../api/types'
import { named, upNext } from './episodes'

const season = (number: number, shares: number[]): Season => ({
  season: number,
  episodes: shares.map((progress, index) => ({
    id: `s${number}e${index + 1}`, name: '', kind: 'episode' as const, year: 0, maturityAge: 0, durationSeconds: 1500, artwork: { colour: '' }, description: '', episode: index + 1, progress,
  })),
})
const next = (...seasons: Season[]): string | undefined => upNext(seasons)?.episode.id

test('a series goes on where it stopped', () => {
  expect(next(season(1, [0, 0]))).toBe('s1e1')
  expect(next(season(1, [1, 0.4, 0]))).toBe('s1e2')
  expect(next(season(2, [0, 0]), season(1, [1, 0.97]))).toBe('s2e1')
  expect(next(season(1, [1, 1]))).toBe('s1e1')
  expect(next(season(0, [0]), season(1, [0]))).toBe('s1e1')
  expect(next()).toBeUndefined()
})

test('the episode that the service names is found', () => {
  expect(named([season(1, [0]), season(2, [0, 0])], 's2e2')).toMatchObject({ season: 2, episode: { id: 's2e2' } })
  expect(named([season(1, [0])], 'other')).toBeNull()
})
