/** A line over time, with its latest value in words; who can't see it has the values as a table. */
import type { ReactElement } from 'react'
import { type Point, ceiling, pathOf } from './lines'

const WIDTH = 600
const HEIGHT = 150
/** Rows of the table: more would be noise to hear. */
const TOLD = 12

export function Plot({ name, points, told }: { name: string; points: readonly Point[]; told: (value: number) => string }): ReactElement {
  const top = ceiling(Math.max(0, ...points.map(({ value }) => value)))
  const line = pathOf(points, WIDTH, HEIGHT, top)
  const last = points.at(-1)
  const step = Math.max(1, Math.floor(points.length / TOLD))
  const clockOf = (at: number): string => new Intl.DateTimeFormat(undefined, { timeStyle: 'short' }).format(at)
  return (
    <figure className="plot">
      <figcaption><span>{name}</span> <strong>{last ? told(last.value) : '–'}</strong></figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <path className="plot-grid" d={`M0 ${HEIGHT / 2} H${WIDTH} M0 0.5 H${WIDTH} M0 ${HEIGHT - 0.5} H${WIDTH}`} />
        {line !== '' && <path className="plot-area" d={`${line} L${WIDTH} ${HEIGHT} L0 ${HEIGHT} Z`} />}
        {line !== '' && <path className="plot-line" d={line} />}
      </svg>
      <p className="plot-ends" aria-hidden="true"><span>{points[0] ? clockOf(points[0].at) : ''}</span><span>0 to {told(top)}</span><span>{last ? clockOf(last.at) : ''}</span></p>
      <table className="visually-hidden">
        <caption>{name}</caption>
        <thead><tr><th scope="col">When</th><th scope="col">{name}</th></tr></thead>
        <tbody>{points.filter((_, index) => index % step === 0).map(({ at, value }) => <tr key={at}><td>{clockOf(at)}</td><td>{told(value)}</td></tr>)}</tbody>
      </table>
    </figure>
  )
}
