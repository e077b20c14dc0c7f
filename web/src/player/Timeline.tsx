/** The bar of time: where it plays, what is buffered, and a picture of where the pointer is. */
import { type ReactElement, useRef, useState } from 'react'
import { clock } from '../words/time'
import { type Sprite, spriteAt } from './sprites'

interface Props {
  position: number
  duration: number
  buffered: number
  sprites: Sprite[]
  seek: (seconds: number) => void
}

export function Timeline({ position, duration, buffered, sprites, seek }: Props): ReactElement {
  const bar = useRef<HTMLDivElement>(null)
  const [hovered, setHovered] = useState<{ time: number; x: number } | null>(null)
  const share = (time: number) => `${duration > 0 ? Math.min(100, (time / duration) * 100) : 0}%`

  const pointAt = (clientX: number) => {
    const box = bar.current?.getBoundingClientRect()
    if (!box || box.width === 0) return
    const at = Math.max(0, Math.min(1, (clientX - box.left) / box.width))
    setHovered({ time: at * duration, x: at * box.width })
  }

  return (
    <div
      className="timeline"
      ref={bar}
      onPointerMove={(event) => pointAt(event.clientX)}
      onPointerLeave={() => setHovered(null)}
    >
      {hovered && <Preview time={hovered.time} x={hovered.x} sprite={spriteAt(sprites, hovered.time)} />}
      <div className="timeline-track" aria-hidden="true">
        <div className="timeline-buffered" style={{ width: share(buffered) }} />
        <div className="timeline-played" style={{ width: share(position) }} />
      </div>
      <input
        type="range"
        className="timeline-input"
        aria-label="Position"
        aria-valuetext={`${clock(position)} of ${clock(duration)}`}
        min={0}
        max={Math.max(duration, 0.1)}
        step="any"
        value={Math.min(position, Math.max(duration, 0.1))}
        onChange={(event) => seek(event.currentTarget.valueAsNumber)}
      />
    </div>
  )
}

function Preview({ time, x, sprite }: { time: number; x: number; sprite: Sprite | null }): ReactElement {
  const part = sprite?.part
  return (
    <div className="preview" style={{ left: x }} data-testid="preview">
      {sprite && part && (
        <div
          className="preview-picture"
          style={{
            width: part.width,
            height: part.height,
            backgroundImage: `url("${sprite.sheet}")`,
            backgroundPosition: `-${part.x}px -${part.y}px`,
          }}
        />
      )}
      {sprite && !part && <img className="preview-picture" src={sprite.sheet} alt="" width={160} />}
      <span>{clock(time)}</span>
    </div>
  )
}
