/** One trace as a waterfall: a table whose last column draws when each span ran. A line can be opened to its tags. */
import { type CSSProperties, type ReactElement, useCallback, useMemo, useState } from 'react'
import { getSpans } from '../../api/studio'
import type { Span } from '../../api/types'
import { useAnswer } from '../../api/useAnswer'
import { Notice } from '../../design/Notice'
import { Asked, Desk } from '../Desk'
import { type Line, took, waterfallOf } from './waterfall'

const CRUMB = { href: '/studio/traces', words: 'Traces' }
/** One a service, told apart also by their names beside them. */
const COLOURS = ['#6fb1ff', '#f0b74f', '#5cc48d', '#c79bff', '#ff9e7a', '#5fd0d6', '#f08fc0', '#b6c25b']

export default function TracePage({ trace }: { trace: string }): ReactElement {
  const [answer, again] = useAnswer(useCallback((signal: AbortSignal) => getSpans(trace, signal), [trace]))
  return (
    <Desk title={`Trace ${trace.slice(0, 8)}`} crumb={CRUMB}>
      <Asked answer={answer} again={again} what="the trace">{(spans) => spans.length === 0 ? <Notice title="This trace is gone">Traces are kept for a while only.</Notice> : <Waterfall spans={spans} />}</Asked>
    </Desk>
  )
}

function Waterfall({ spans }: { spans: Span[] }): ReactElement {
  const { lines, total, services } = useMemo(() => waterfallOf(spans), [spans])
  const [open, setOpen] = useState('')
  const colourOf = (service: string): string => COLOURS[services.indexOf(service) % COLOURS.length] ?? '#6fb1ff'
  return (
    <>
      <ul className="facts">
        <li><span className="fact-name">Took</span><span className="fact-value">{took(total)}</span></li>
        <li><span className="fact-name">Spans</span><span className="fact-value">{lines.length}</span></li>
        <li><span className="fact-name">Services</span><span className="fact-value">{services.length}</span></li>
      </ul>
      <ul className="legend" aria-label="Services">
        {services.map((service) => <li key={service}><span className="swatch" style={{ background: colourOf(service) }} aria-hidden="true" /> {service}</li>)}
      </ul>
      <div className="table-window" role="region" aria-label="Waterfall" tabIndex={0}>
        <table className="table waterfall">
          <thead><tr><th scope="col">Span</th><th scope="col">Service</th><th scope="col" className="figure">From</th><th scope="col" className="figure">Took</th><th scope="col"><span className="axis" aria-hidden="true"><span>0</span><span>{took(total / 2)}</span><span>{took(total)}</span></span><span className="visually-hidden">When</span></th></tr></thead>
          <tbody>{lines.map((line) => <SpanLine key={line.span.id} line={line} total={total} colour={colourOf(line.span.service)} open={open === line.span.id} toggle={() => setOpen(open === line.span.id ? '' : line.span.id)} />)}</tbody>
        </table>
      </div>
    </>
  )
}

/** A span too short to be seen is drawn as wide as this, of the whole. */
const THINNEST = 0.4

function SpanLine({ line, total, colour, open, toggle }: { line: Line; total: number; colour: string; open: boolean; toggle: () => void }): ReactElement {
  const { span, depth, from } = line
  const style = { '--depth': depth } as CSSProperties
  const bar = { left: `${(from / total) * 100}%`, width: `${Math.max(THINNEST, (span.durationUs / total) * 100)}%`, background: colour }
  return (
    <>
      <tr data-failed={span.error !== ''}>
        <th scope="row" style={style}><button type="button" className="span-name" aria-expanded={open} onClick={toggle}>{span.name}{span.error !== '' && <span className="problem"> failed</span>}</button></th>
        <td>{span.service}</td>
        <td className="figure">{took(from)}</td>
        <td className="figure">{took(span.durationUs)}</td>
        <td className="span-track"><span className="span-bar" style={bar} /></td>
      </tr>
      {open && (
        <tr className="span-tags">
          <td colSpan={5}>
            {span.error !== '' && <p className="problem">{span.error}</p>}
            <dl>
              <div><dt>kind</dt><dd>{span.kind}</dd></div>
              <div><dt>span</dt><dd>{span.id}</dd></div>
              {Object.entries(span.tags).map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
            </dl>
          </td>
        </tr>
      )}
    </>
  )
}
