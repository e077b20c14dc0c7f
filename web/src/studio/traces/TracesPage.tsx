/** The latest traces, by what they began with. */
import { type ReactElement, useCallback, useState } from 'react'
import { type TraceWords, listTraces } from '../../api/studio'
import { useAnswer } from '../../api/useAnswer'
import { Switch } from '../../design/Field'
import { Link, roomPath } from '../../router'
import { useDebounced } from '../../search/useDebounced'
import { moment } from '../../words/dates'
import { Asked, Desk, TableWindow } from '../Desk'
import { took } from './waterfall'

const PAUSE_MS = 250

export default function TracesPage(): ReactElement {
  const [words, setWords] = useState<TraceWords>({ service: '', name: '', minDurationMs: '', errors: false })
  const still = useDebounced(words, PAUSE_MS)
  const [answer, again] = useAnswer(useCallback((signal: AbortSignal) => listTraces(still, signal), [still]))
  return (
    <Desk title="Traces" deeds={<button type="button" className="button" onClick={again}>Look again</button>}>
      <div className="desk-filters" role="group" aria-label="Filters">
        <input type="search" aria-label="What it began with" placeholder="POST /api/play" value={words.name} onChange={(event) => setWords({ ...words, name: event.currentTarget.value })} />
        <input type="search" aria-label="Service" placeholder="Service" size={12} value={words.service} onChange={(event) => setWords({ ...words, service: event.currentTarget.value })} />
        <input inputMode="numeric" aria-label="At least so many milliseconds" placeholder="≥ ms" size={6} value={words.minDurationMs} onChange={(event) => setWords({ ...words, minDurationMs: event.currentTarget.value.replace(/\D/g, '') })} />
        <Switch label="With errors" checked={words.errors} onChange={(event) => setWords({ ...words, errors: event.currentTarget.checked })} />
      </div>
      <Asked answer={answer} again={again} what="the traces">
        {(traces) => traces.length === 0 ? <p className="soft" role="status">No trace is like that. They are kept for a while only.</p> : (
          <TableWindow label="Traces">
            <thead><tr><th scope="col">Began with</th><th scope="col">Service</th><th scope="col">When</th><th scope="col" className="figure">Took</th><th scope="col" className="figure">Spans</th><th scope="col" className="figure">Errors</th></tr></thead>
            <tbody>
              {traces.map((trace) => (
                <tr key={trace.trace}>
                  <th scope="row"><Link href={roomPath('traces', trace.trace)}>{trace.name}</Link></th>
                  <td>{trace.service}</td>
                  <td>{moment(trace.start)}</td>
                  <td className="figure">{took(trace.durationMs * 1000)}</td>
                  <td className="figure">{trace.spans}</td>
                  <td className="figure" data-tone={trace.errors > 0 ? 'bad' : undefined}>{trace.errors}</td>
                </tr>
              ))}
            </tbody>
          </TableWindow>
        )}
      </Asked>
    </Desk>
  )
}
