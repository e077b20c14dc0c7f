/** A workflow's tasks as a picture that can be walked with Tab and arrows: what runs, what waits, what failed. */
import { type KeyboardEvent, type ReactElement, useMemo } from 'react'
import type { Task } from '../api/types'
import { percent } from '../words/amounts'
import { CELL, type Graph, type GraphNode, graphOf, partsOf, progressOf, stateOf } from './graph'
import { TASK_WORDS } from './states'

interface Props {
  tasks: Task[]
  /** The name of the task that is shown in full. */
  chosen: string
  choose: (name: string) => void
}

export function GraphView({ tasks, chosen, choose }: Props): ReactElement {
  const graph = useMemo(() => graphOf(tasks), [tasks])
  return (
    <div className="graph" role="group" aria-label="Tasks" tabIndex={0}>
      <div className="graph-plane" style={{ width: graph.width, height: graph.height }}>
        <Edges graph={graph} />
        {graph.nodes.map((node) => <Node key={node.id} node={node} chosen={chosen} choose={choose} />)}
      </div>
    </div>
  )
}

function Edges({ graph }: { graph: Graph }): ReactElement {
  const at = new Map(graph.nodes.map((node) => [node.id, node]))
  return (
    <svg className="graph-edges" width={graph.width} height={graph.height} aria-hidden="true">
      {graph.edges.map(({ from, to, done }) => {
        const [a, b] = [at.get(from), at.get(to)]
        return a && b ? <path key={`${from} ${to}`} d={curve(a, b)} data-done={done} /> : null
      })}
    </svg>
  )
}

/** Leaves and enters at the height of a node's title, whatever cells follow below. */
const LEVEL = 22
/** Turns in the gap before the node it goes to, so that lines over several columns lie together. */
const TURN = 22

function curve(a: GraphNode, b: GraphNode): string {
  const [x1, y1, x2, y2] = [a.x + a.width, a.y + LEVEL, b.x, b.y + LEVEL]
  const turn = x2 - TURN
  return `M${x1} ${y1} H${turn - TURN} C${turn} ${y1} ${turn - TURN} ${y2} ${x2} ${y2}`
}

function Node({ node, chosen, choose }: { node: GraphNode } & Omit<Props, 'tasks'>): ReactElement {
  const { tasks, type, track, x, y, width, height } = node
  const state = stateOf(tasks)
  const { word, shape } = TASK_WORDS[state]
  const [first] = tasks
  const chunked = first !== undefined && partsOf(first.name).chunk !== null
  const share = progressOf(tasks)
  const reused = tasks.every((task) => task.reused)
  const done = tasks.filter((task) => task.state === 'done').length
  const said = chunked ? `${done} of ${tasks.length}` : reused ? 'reused' : state === 'running' ? percent(share) : word
  const head = (
    <>
      <span className="node-name">{type}</span>
      {track !== '' && <span className="node-track">{track}</span>}
      <span className="node-state"><span aria-hidden="true" className="shape">{shape}</span> {said}</span>
      <span className="node-bar" aria-hidden="true"><span style={{ width: `${share * 100}%` }} /></span>
    </>
  )
  const style = { left: x, top: y, width, height }
  if (!chunked) {
    const name = first?.name ?? ''
    return (
      <button type="button" className="node" style={style} data-state={state} aria-pressed={chosen === name} onClick={() => choose(name)}>
        {head}
      </button>
    )
  }
  return (
    <div className="node" style={style} data-state={state} role="group" aria-label={`${type} ${track}: ${said} chunks done`}>
      {head}
      <div className="cells" onKeyDown={walk}>
        {tasks.map((task, index) => (
          <Cell key={task.name} task={task} chosen={chosen === task.name} reachable={holdsFocus(tasks, chosen) ? chosen === task.name : index === 0} choose={choose} />
        ))}
      </div>
    </div>
  )
}

const holdsFocus = (tasks: Task[], chosen: string): boolean => tasks.some((task) => task.name === chosen)

interface CellProps {
  task: Task
  chosen: boolean
  /** Tab stops at one cell of a node; arrows walk from there. */
  reachable: boolean
  choose: (name: string) => void
}

function Cell({ task, chosen, reachable, choose }: CellProps): ReactElement {
  const { word, shape } = TASK_WORDS[task.state]
  const number = (partsOf(task.name).chunk ?? 0) + 1
  const share = task.state === 'running' ? `, ${percent(task.progress)}` : ''
  const said = `Chunk ${number}: ${task.reused ? 'its output existed' : word}${share}`
  return (
    <button
      type="button"
      className="cell"
      style={{ width: CELL, height: CELL, ['--share' as string]: `${Math.round(task.progress * 100)}%` }}
      data-state={task.state}
      aria-label={said}
      aria-pressed={chosen}
      title={said}
      tabIndex={reachable ? 0 : -1}
      onClick={() => choose(task.name)}
    >
      <span aria-hidden="true">{shape}</span>
    </button>
  )
}

/** Arrows walk from cell to cell. */
function walk(event: KeyboardEvent<HTMLDivElement>): void {
  const cells = [...event.currentTarget.querySelectorAll('button')]
  const at = cells.indexOf(document.activeElement as HTMLButtonElement)
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: cells.length - 1 }[event.key]
  if (at < 0 || to === undefined) return
  event.preventDefault()
  cells[Math.min(cells.length - 1, Math.max(0, to))]?.focus()
}
