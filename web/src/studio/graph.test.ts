import { describe, expect, test } from 'vitest'
import type { Task, TaskState } from '../api/types'
import { type GraphNode, byTrack, depths, graphOf, partsOf, progressOf, stateOf } from './graph'

function task(name: string, dependsOn: string[] = [], state: TaskState = 'waiting', progress = 0): Task {
  return { name, type: name.split('/')[0] ?? '', pool: 'cpu', dependsOn, state, attempt: 1, progress, note: '', worker: '', reused: false, startedAt: null, endedAt: null }
}

/** A film of two renditions and a language, as slicing lays it out. */
function film(chunks: number): Task[] {
  const tasks = [task('inspect', [], 'done'), task('slice', ['inspect'], 'done')]
  for (const track of ['video-240p-h264', 'video-1080p-h264']) {
    const names = Array.from({ length: chunks }, (_, i) => `encode/${track}/${String(i).padStart(5, '0')}`)
    tasks.push(...names.map((name) => task(name, ['inspect'])), task(`assemble/${track}`, names))
    tasks.push(task(`package/${track}`, [`assemble/${track}`]), task(`measure/${track}`, [`assemble/${track}`]))
  }
  tasks.push(task('audio/audio-en-stereo', ['inspect']), task('package/audio-en-stereo', ['audio/audio-en-stereo']))
  tasks.push(task('subtitles/subs-en', ['inspect']), task('thumbnails', ['inspect']))
  const last = tasks.filter((each) => /^(package|measure|subtitles|thumbnails)/.test(each.name)).map((each) => each.name)
  return [...tasks, task('verify', last), task('publish', ['verify'])]
}

const overlap = (a: GraphNode, b: GraphNode): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height

describe('the picture of a workflow', () => {
  test('has a column for each depth, and one type in one column only', () => {
    const depth = depths(film(2))
    const order = ['inspect', 'slice', 'encode', 'assemble', 'package', 'verify', 'publish'].map((type) => depth.get(type))
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect([depth.get('audio'), depth.get('measure'), depth.get('thumbnails')]).toEqual([2, 4, 2])
  })

  test.each([1, 3, 40])('has no two nodes on one place with %i chunks', (chunks) => {
    const { nodes, width, height } = graphOf(film(chunks))
    for (const [i, a] of nodes.entries()) {
      for (const b of nodes.slice(i + 1)) expect(overlap(a, b), `${a.id} and ${b.id}`).toBe(false)
      expect(a.x + a.width).toBeLessThanOrEqual(width)
      expect(a.y + a.height).toBeLessThanOrEqual(height)
      expect(Math.min(a.x, a.y)).toBeGreaterThanOrEqual(0)
    }
  })

  test('gathers chunks in one node, in order', () => {
    const node = graphOf(film(3).toReversed()).nodes.find((each) => each.id === 'encode/video-240p-h264')
    expect(node?.tasks.map((each) => partsOf(each.name).chunk)).toEqual([0, 1, 2])
  })

  test('has edges from what spawns and what is waited for, to the right only', () => {
    const { nodes, edges } = graphOf(film(2))
    const at = new Map(nodes.map((node) => [node.id, node.x]))
    for (const edge of edges) expect(at.get(edge.from) ?? Infinity).toBeLessThan(at.get(edge.to) ?? -Infinity)
    expect(edges).toContainEqual({ from: 'slice', to: 'encode/video-240p-h264', done: true })
    expect(edges).toContainEqual({ from: 'encode/video-240p-h264', to: 'assemble/video-240p-h264', done: false })
  })

  test('is drawn for what it is while only the first tasks are there, or none, or a ring', () => {
    expect(graphOf([task('inspect', [], 'running')]).nodes).toHaveLength(1)
    expect(graphOf([])).toMatchObject({ nodes: [], edges: [] })
    expect(graphOf([task('a', ['b']), task('b', ['a'])]).nodes).toHaveLength(2)
  })
})

test('tracks stand from the tallest picture down to words', () => {
  const tracks = ['subs-en', 'audio-en-stereo', 'video-240p-h264', 'video-1080p-h265', 'video-1080p-h264']
  expect(tracks.toSorted(byTrack)).toEqual(['video-1080p-h264', 'video-1080p-h265', 'video-240p-h264', 'audio-en-stereo', 'subs-en'])
})

test('a group is what needs a person first', () => {
  const of = (...states: TaskState[]) => stateOf(states.map((state, i) => task(String(i), [], state)))
  expect(of('done', 'running', 'failed')).toBe('failed')
  expect(of('done', 'running', 'waiting')).toBe('running')
  expect(of('done', 'done')).toBe('done')
  expect(of('done', 'waiting')).toBe('ready')
  expect(of('waiting')).toBe('waiting')
  expect(progressOf([task('a', [], 'done'), task('b', [], 'running', 0.5), task('c'), task('d')])).toBe(0.375)
})
