/** How plays go at the moment, by the players' own word, in heartbeats and with each request; asked again every few seconds. */
import { type ReactElement, useCallback, useEffect, useState } from 'react'
import { getQuality } from '../../api/studio'
import type { Quality, QualityRow } from '../../api/types'
import { useAnswer } from '../../api/useAnswer'
import { bitrate } from '../../words/amounts'
import { territoryName } from '../../words/languages'
import { Asked, Desk, TableWindow } from '../Desk'
import { Plot } from './Plot'

const ASK_MS = 5000
const WINDOWS = [[300, '5 minutes'], [3600, 'an hour'], [86_400, 'a day']] as const
const GROUPS = [['territory', 'territory'], ['network', 'network']] as const

const milliseconds = (value: number): string => (value >= 1000 ? `${(value / 1000).toFixed(2)} s` : `${Math.round(value)} ms`)
const share = (value: number): string => `${(value * 100).toFixed(value < 0.01 && value > 0 ? 2 : 1)} %`

export default function QualityPage(): ReactElement {
  const [window_, setWindow] = useState<number>(300)
  const [by, setBy] = useState<'territory' | 'network'>('territory')
  const [all, allAgain] = useAnswer(useCallback((signal: AbortSignal) => getQuality('', window_, signal), [window_]))
  const [groups, groupsAgain] = useAnswer(useCallback((signal: AbortSignal) => getQuality(by, window_, signal), [by, window_]))
  useEffect(() => {
    const timer = window.setInterval(() => {
      if (document.visibilityState !== 'visible') return
      allAgain()
      groupsAgain()
    }, ASK_MS)
    return () => window.clearInterval(timer)
  }, [allAgain, groupsAgain])
  return (
    <Desk
      title="Play quality"
      deeds={
        <>
          <select aria-label="Over" value={window_} onChange={(event) => setWindow(Number(event.currentTarget.value))}>
            {WINDOWS.map(([seconds, words]) => <option key={seconds} value={seconds}>The last {words}</option>)}
          </select>
          <select aria-label="By" value={by} onChange={(event) => setBy(event.currentTarget.value as typeof by)}>
            {GROUPS.map(([value, words]) => <option key={value} value={value}>By {words}</option>)}
          </select>
        </>
      }
    >
      <Asked answer={all} again={allAgain} what="the quality of plays">{(quality) => <Now quality={quality} />}</Asked>
      <Asked answer={groups} again={groupsAgain} what="the groups">{({ rows }) => <Groups rows={rows} by={by} />}</Asked>
    </Desk>
  )
}

/** What players said with their requests for segments; nothing where none did. */
function delivery(row: QualityRow): [string, string][] {
  if (row.requests === 0) return []
  return [['Throughput, half below', row.throughputP50BitsPerSecond === 0 ? '–' : bitrate(row.throughputP50BitsPerSecond)], ['Buffered, half below', milliseconds(row.bufferP50Ms)], ['Requests after an empty buffer', share(row.starvedRatio)]]
}

function Now({ quality: { rows, points } }: { quality: Quality }): ReactElement {
  const all = rows.find(({ group }) => group === '') ?? rows[0]
  const facts: [string, string][] = all
    ? [['Playing now', String(all.playing)], ['Plays begun', String(all.plays)], ['Start-up, half below', milliseconds(all.startP50Ms)], ['Start-up, 95 % below', milliseconds(all.startP95Ms)], ['Time stalled', share(all.stallRatio)], ['Mean bitrate', bitrate(all.meanBitsPerSecond)], ['Errors', String(all.errors)],
      ...delivery(all)]
    : []
  const over = (read: (point: Quality['points'][number]) => number): { at: number; value: number }[] =>
    points.filter(({ at }) => at).map((point) => ({ at: Date.parse(point.at ?? ''), value: read(point) }))
  return (
    <>
      <ul className="facts" aria-label="Now">
        {facts.length === 0 && <li><span className="soft">Nobody plays anything.</span></li>}
        {facts.map(([name, value]) => <li key={name}><span className="fact-name">{name}</span><span className="fact-value">{value}</span></li>)}
      </ul>
      {points.length > 1 && (
        <div className="plots">
          <Plot name="Playing" points={over(({ playing }) => playing)} told={(value) => String(Math.round(value))} />
          <Plot name="Start-up, 95 % below" points={over(({ startP95Ms }) => startP95Ms)} told={milliseconds} />
          <Plot name="Time stalled" points={over(({ stallRatio }) => stallRatio)} told={share} />
          <Plot name="Errors" points={over(({ errors }) => errors)} told={(value) => String(Math.round(value))} />
        </div>
      )}
    </>
  )
}

function Groups({ rows, by }: { rows: QualityRow[]; by: string }): ReactElement {
  const groups = rows.filter(({ group }) => group !== '').sort((a, b) => b.playing - a.playing)
  if (groups.length === 0) return <p className="soft">No {by} is known of the plays.</p>
  return (
    <TableWindow label={`By ${by}`}>
      <thead><tr><th scope="col">{by === 'territory' ? 'Territory' : 'Network'}</th><th scope="col" className="figure">Playing</th><th scope="col" className="figure">Plays</th><th scope="col" className="figure">Start-up p50</th><th scope="col" className="figure">p95</th><th scope="col" className="figure">Stalled</th><th scope="col" className="figure">Bitrate</th><th scope="col" className="figure">Throughput p50</th><th scope="col" className="figure">Buffered p50</th><th scope="col" className="figure">Starved</th><th scope="col" className="figure">Errors</th></tr></thead>
      <tbody>
        {groups.map((row) => (
          <tr key={row.group}>
            <th scope="row">{by === 'territory' ? territoryName(row.group) : row.group}</th>
            <td className="figure">{row.playing}</td>
            <td className="figure">{row.plays}</td>
            <td className="figure">{milliseconds(row.startP50Ms)}</td>
            <td className="figure">{milliseconds(row.startP95Ms)}</td>
            <td className="figure">{share(row.stallRatio)}</td>
            <td className="figure">{bitrate(row.meanBitsPerSecond)}</td>
            <td className="figure">{row.throughputP50BitsPerSecond === 0 ? '–' : bitrate(row.throughputP50BitsPerSecond)}</td>
            <td className="figure">{row.requests === 0 ? '–' : milliseconds(row.bufferP50Ms)}</td>
            <td className="figure">{row.requests === 0 ? '–' : share(row.starvedRatio)}</td>
            <td className="figure">{row.errors}</td>
          </tr>
        ))}
      </tbody>
    </TableWindow>
  )
}
