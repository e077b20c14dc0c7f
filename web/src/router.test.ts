import { expect, test } from 'vitest'
import { inspectionPath, pageAt, titlePath, workflowPath } from './router'

test('an address finds its page, and a page its address', () => {
  expect(pageAt('/')).toEqual({ name: 'titles' })
  expect(pageAt(titlePath('a film'))).toEqual({ name: 'title', id: 'a film' })
  expect(pageAt('/studio')).toEqual({ name: 'studio' })
  expect(pageAt(workflowPath('onboard-1'))).toEqual({ name: 'workflow', id: 'onboard-1' })
  expect(pageAt(inspectionPath('a film'))).toEqual({ name: 'inspection', title: 'a film' })
})

test('an address that names nothing is told, and a broken one does no harm', () => {
  expect(pageAt('/nothing/here')).toEqual({ name: 'lost', path: '/nothing/here' })
  expect(pageAt('/title/%E0%A4%A')).toEqual({ name: 'title', id: '%E0%A4%A' })
})
