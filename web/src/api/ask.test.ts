import { expect, test } from 'vitest'
import { Refused, patienceFor, reasonFor, sentence } from './ask'

test('what only reads waits a moment for a busy service, once; what writes does not', () => {
  expect(patienceFor('GET', 503, '1')).toBe(1000)
  expect(patienceFor('GET', 429, '2')).toBe(2000)
  expect(patienceFor('GET', 503, '60')).toBeNull()
  expect(patienceFor('GET', 503, null)).toBeNull()
  expect(patienceFor('GET', 404, '1')).toBeNull()
  expect(patienceFor('POST', 503, '1')).toBeNull()
})

test('a person is told sentences', () => {
  expect(sentence('email is refused: it has no @')).toBe('Email is refused: it has no @.')
  expect(sentence('Done!')).toBe('Done!')
  expect(sentence('')).toBe('')
})

test('a refused field knows why', () => {
  const refused = new Refused(400, 'refused', '', [{ field: 'password', reason: 'it is too short' }])
  expect(reasonFor(refused, 'password')).toBe('It is too short.')
  expect(reasonFor(refused, 'email')).toBe('')
  expect(reasonFor(new Error('other'), 'password')).toBe('')
})
