import { expect, test } from 'vitest'
import { inspectionPath, pageAt, roomPath, safeNext, titlePath, workflowPath } from './router'

test('an address finds its page, and a page its address', () => {
  expect(pageAt('/')).toEqual({ name: 'home' })
  expect(pageAt(titlePath('a film'))).toEqual({ name: 'title', id: 'a film' })
  expect(pageAt('/my-list')).toEqual({ name: 'myList' })
  expect(pageAt('/tv')).toEqual({ name: 'tv' })
  expect(pageAt('/device')).toEqual({ name: 'tv' })
  expect(pageAt('/studio')).toEqual({ name: 'studio' })
  expect(pageAt(workflowPath('onboard-1'))).toEqual({ name: 'workflow', id: 'onboard-1' })
  expect(pageAt(inspectionPath('a film'))).toEqual({ name: 'inspection', title: 'a film' })
  expect(pageAt(roomPath('traces', 'abc'))).toEqual({ name: 'room', room: 'traces', id: 'abc' })
  expect(pageAt(roomPath('ledger'))).toEqual({ name: 'room', room: 'ledger', id: null })
})

test('an address that names nothing is told, and a broken one does no harm', () => {
  expect(pageAt('/nothing/here')).toEqual({ name: 'lost', path: '/nothing/here' })
  expect(pageAt('/toString')).toEqual({ name: 'lost', path: '/toString' })
  expect(pageAt('/studio/ledger/1')).toEqual({ name: 'lost', path: '/studio/ledger/1' })
  expect(pageAt('/title/%E0%A4%A')).toEqual({ name: 'title', id: '%E0%A4%A' })
})

test('after signing in nobody is led away from here', () => {
  expect(safeNext('?next=/title/film')).toBe('/title/film')
  expect(safeNext('?next=//evil.example')).toBe('/')
  expect(safeNext('?next=/\\evil.example')).toBe('/')
  expect(safeNext('?next=https://evil.example')).toBe('/')
  expect(safeNext('')).toBe('/')
})
