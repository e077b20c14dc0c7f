import { expect, test } from 'vitest'
import { type Turns, singleFlight } from './refresh'

function world(by: Partial<Turns> = {}) {
  let time = 100
  let renewed = 0
  const asked: number[] = []
  const turns: Turns = {
    exclusively: (turn) => turn(),
    lastRenewed: () => renewed,
    noteRenewed: (at) => (renewed = at),
    renew: () => {
      asked.push(time)
      return Promise.resolve(true)
    },
    now: () => time,
    ...by,
  }
  return { renew: singleFlight(turns), asked, pass: (by: number) => (time += by) }
}

test('ten requests that met an expired token renew it once', async () => {
  const { renew, asked } = world()
  const answers = await Promise.all(Array.from({ length: 10 }, () => renew(50)))
  expect(answers.every(Boolean)).toBe(true)
  expect(asked).toEqual([100])
})

test('a token that another tab renewed meanwhile is not renewed again, a later expiry is', async () => {
  const { renew, asked, pass } = world()
  await renew(50)
  await renew(60)
  expect(asked).toHaveLength(1)
  pass(1000)
  await renew(1050)
  expect(asked).toHaveLength(2)
})

test('a refusal is told to all who wait, and the next one asks again', async () => {
  let calls = 0
  const { renew } = world({ renew: () => Promise.resolve(++calls > 1) })
  expect(await Promise.all([renew(1), renew(1)])).toEqual([false, false])
  expect(await renew(1)).toBe(true)
  expect(calls).toBe(2)
})

test('a network that fails leaves no flight behind', async () => {
  let calls = 0
  const { renew } = world({ renew: () => (++calls === 1 ? Promise.reject(new Error('no network')) : Promise.resolve(true)) })
  await expect(renew(1)).rejects.toThrow('no network')
  expect(await renew(1)).toBe(true)
})
