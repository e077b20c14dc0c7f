/**
 * A workflow as a picture: columns of task types, rows of tracks.
 *
 * A column holds the types that stand equally deep in the dependencies; a row holds what becomes of one track. The
 * chunks that are encoded for one track are one node with a cell each. Nothing here knows of a screen but its pixels.
 */
import type { Task, TaskState } from '../api/types'

export interface GraphNode {
  /** "encode/video-720p-h264", of which the tasks are chunks; or a task's own name. */
  id: string
  type: string
  /** What it works on; empty for what is done once for the film. */
  track: string
  /** One task, or all chunks in order. */
  tasks: Task[]
  /** In pixels. */
  x: number
  y: number
  width: number
  height: number
}

export interface GraphEdge {
  from: string
  to: string
  /** The first of them is done. */
  done: boolean
}

export interface Graph {
  nodes: GraphNode[]
  edges: GraphEdge[]
  width: number
  height: number
}

export const NODE_WIDTH = 176
/** Title, state and bar. */
export const NODE_HEIGHT = 58
export const CELL = 16
export const CELLS_IN_A_ROW = 9
const COLUMN_GAP = 44
const ROW_GAP = 14

/** "encode/video-720p-h264/00003" in its parts; what is done once has no track. */
export function partsOf(name: string): { type: string; track: string; chunk: number | null } {
  const [type = name, track = '', chunk] = name.split('/')
  return { type, track, chunk: chunk === undefined ? null : Number.parseInt(chunk, 10) }
}

const idOf = (task: Task): string => {
  const { type, track, chunk } = partsOf(task.name)
  return chunk === null ? task.name : `${type}/${track}`
}

/** How deep each type stands: below all types that its tasks wait for. Types in a ring stand where they are found. */
export function depths(tasks: readonly Task[]): Map<string, number> {
  const typeOf = new Map(tasks.map((task) => [task.name, task.type]))
  const needs = new Map<string, Set<string>>()
  for (const task of tasks) {
    const own = needs.get(task.type) ?? new Set()
    needs.set(task.type, own)
    for (const name of task.dependsOn) {
      const type = typeOf.get(name)
      if (type !== undefined && type !== task.type) own.add(type)
    }
  }
  // Slicing decides which tasks follow, though they read only what was inspected.
  if (needs.has('slice')) for (const [type, own] of needs) if (type !== 'slice' && own.has('inspect')) own.add('slice')
  const found = new Map<string, number>()
  const visit = (type: string, above: readonly string[]): number => {
    const known = found.get(type)
    if (known !== undefined) return known
    const under = [...(needs.get(type) ?? [])].filter((each) => !above.includes(each))
    const depth = under.reduce((most, each) => Math.max(most, visit(each, [...above, type]) + 1), 0)
    found.set(type, depth)
    return depth
  }
  for (const type of needs.keys()) visit(type, [type])
  return found
}

/** Tracks in the order in which a person looks for them: pictures from tall to small, sound, words, the rest. */
export function byTrack(a: string, b: string): number {
  const rank = (track: string): number => {
    const found = ['video', 'audio', 'subs'].indexOf(track.split('-')[0] ?? '')
    return found < 0 ? 3 : found
  }
  const height = (track: string): number => Number(/-(\d+)p/.exec(track)?.[1] ?? 0)
  return rank(a) - rank(b) || height(b) - height(a) || a.localeCompare(b)
}

/** The picture of these tasks. */
export function graphOf(tasks: readonly Task[]): Graph {
  const groups = new Map<string, Task[]>()
  for (const task of tasks) {
    const id = idOf(task)
    const group = groups.get(id)
    if (group) group.push(task)
    else groups.set(id, [task])
  }
  const depthOf = depths(tasks)
  const nodes: GraphNode[] = [...groups].map(([id, group]) => {
    const [first] = group as [Task]
    const chunked = partsOf(first.name).chunk !== null
    const height = chunked ? NODE_HEIGHT + Math.ceil(group.length / CELLS_IN_A_ROW) * (CELL + 2) + 4 : NODE_HEIGHT
    const tasksInOrder = group.toSorted((a, b) => a.name.localeCompare(b.name))
    return { id, type: first.type, track: partsOf(first.name).track, tasks: tasksInOrder, x: (depthOf.get(first.type) ?? 0) * (NODE_WIDTH + COLUMN_GAP), y: 0, width: NODE_WIDTH, height }
  })
  const height = place(nodes)
  const width = nodes.reduce((most, node) => Math.max(most, node.x + node.width), 0)
  return { nodes, edges: edgesOf(tasks), width, height }
}

/** Gives every node its place from top to bottom; returns the height of all. */
function place(nodes: GraphNode[]): number {
  // What is done once takes no row of its own, unless it stands beside rows.
  const columnsWithTracks = new Set(nodes.filter((node) => node.track !== '').map((node) => node.x))
  const alone = nodes.filter((node) => node.track === '' && !columnsWithTracks.has(node.x))
  const inRows = nodes.filter((node) => !alone.includes(node))
  const rows = new Map<string, GraphNode[]>()
  for (const node of inRows) rows.set(node.track || `~${node.id}`, [...(rows.get(node.track || `~${node.id}`) ?? []), node])
  let top = 0
  for (const track of [...rows.keys()].toSorted(byTrack)) {
    const bottoms = new Map<number, number>()
    for (const node of (rows.get(track) ?? []).toSorted((a, b) => a.type.localeCompare(b.type))) {
      node.y = bottoms.get(node.x) ?? top
      bottoms.set(node.x, node.y + node.height + ROW_GAP)
    }
    top = Math.max(...bottoms.values())
  }
  const height = Math.max(top - ROW_GAP, NODE_HEIGHT)
  const stacked = new Map<number, GraphNode[]>()
  for (const node of alone) stacked.set(node.x, [...(stacked.get(node.x) ?? []), node])
  let most = height
  for (const stack of stacked.values()) {
    const all = stack.reduce((sum, node) => sum + node.height + ROW_GAP, -ROW_GAP)
    // Near the top, where the eye begins, and not in the middle of a tall picture.
    let y = Math.max(0, Math.min(height - all, NODE_HEIGHT) / 2)
    for (const node of stack) {
      node.y = y
      y += node.height + ROW_GAP
    }
    most = Math.max(most, y - ROW_GAP)
  }
  return most
}

function edgesOf(tasks: readonly Task[]): GraphEdge[] {
  const ids = new Map(tasks.map((task) => [task.name, idOf(task)]))
  const edges = new Map<string, GraphEdge>()
  const add = (from: string, to: string, done: boolean): void => {
    const known = edges.get(`${from} ${to}`)
    edges.set(`${from} ${to}`, { from, to, done: done && (known?.done ?? true) })
  }
  const states = new Map(tasks.map((task) => [task.name, task.state]))
  const slicing = tasks.find((task) => task.type === 'slice')
  for (const task of tasks) {
    const needs = slicing && task !== slicing && task.dependsOn.includes('inspect') ? [slicing.name, ...task.dependsOn.filter((name) => name !== 'inspect')] : task.dependsOn
    for (const name of needs) {
      const from = ids.get(name)
      const to = idOf(task)
      if (from !== undefined && from !== to) add(from, to, states.get(name) === 'done')
    }
  }
  return [...edges.values()]
}

/** What a group of tasks is, in one state: what needs a person first, then what moves, then what rests. */
export function stateOf(tasks: readonly Task[]): TaskState {
  const has = (state: TaskState): boolean => tasks.some((task) => task.state === state)
  for (const state of ['failed', 'running', 'backoff'] as const) if (has(state)) return state
  if (tasks.length > 0 && tasks.every((task) => task.state === 'done')) return 'done'
  for (const state of ['cancelled', 'ready'] as const) if (has(state)) return state
  return has('done') ? 'ready' : 'waiting'
}

/** How far a group of tasks is, 0 to 1. */
export function progressOf(tasks: readonly Task[]): number {
  if (tasks.length === 0) return 0
  return tasks.reduce((sum, task) => sum + (task.state === 'done' ? 1 : Math.min(1, Math.max(0, task.progress))), 0) / tasks.length
}
