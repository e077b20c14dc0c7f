/** Numbers about the stream, twice a second. */
import { type ReactElement, useEffect, useState } from 'react'
import { bitrate } from '../words/amounts'
import type { Playback } from './playback'
import type { Statistics } from './playbackState'

const EVERY_MS = 500

export function StatsOverlay({ playback }: { playback: Playback }): ReactElement {
  const [stats, setStats] = useState(() => playback.statistics())
  useEffect(() => {
    const timer = setInterval(() => setStats(playback.statistics()), EVERY_MS)
    return () => clearInterval(timer)
  }, [playback])
  return (
    <dl className="stats" aria-label="Statistics">
      {rows(stats).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function rows(stats: Statistics): [string, string][] {
  const startup = stats.startupMs === null ? '–' : `${Math.round(stats.startupMs)} ms${stats.warm ? ', fetched ahead' : ''}`
  return [
    ['Resolution', `${stats.width} × ${stats.height}`],
    ['Stream', bitrate(stats.streamBandwidth)],
    ['Bandwidth estimate', bitrate(stats.estimatedBandwidth)],
    ['Buffer', `${stats.bufferedSeconds.toFixed(1)} s`],
    ['Frames', `${stats.decodedFrames}, ${stats.droppedFrames} dropped`],
    ['Click to first frame', startup],
    ['Stalls', String(stats.stalls)],
    ['Switches', String(stats.switches)],
    ['Protocol', stats.protocol.toUpperCase()],
    ['Codecs', stats.codecs || '–'],
    ['Protection', stats.keySystem ? `${stats.keySystem}${stats.scheme ? `, ${stats.scheme}` : ''}` : 'none'],
  ]
}
