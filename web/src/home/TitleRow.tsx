/** One row of home: a heading, and titles to scroll through by touch, wheel, arrow keys or its two buttons. */
import { type ReactElement, useEffect, useId, useRef, useState } from 'react'
import type { Row } from '../api/types'
import { Icon } from '../design/icons'
import { upright } from './rows'
import { TitleCard } from './TitleCard'

/** How much of the row's width a button scrolls by. */
const STEP = 0.85

export function TitleRow({ row, remove }: { row: Row; remove?: (id: string) => void }): ReactElement {
  const heading = useId()
  const list = useRef<HTMLUListElement>(null)
  const ends = useEnds(list, row.items.length)
  const scroll = (direction: 1 | -1): void => {
    const calm = window.matchMedia('(prefers-reduced-motion: reduce)').matches
    list.current?.scrollBy({ left: direction * list.current.clientWidth * STEP, behavior: calm ? 'instant' : 'smooth' })
  }
  return (
    <section className="row-of-titles" data-kind={row.kind} data-upright={row.items.every(upright)} aria-labelledby={heading} data-spatial>
      <h2 id={heading}>{row.title}</h2>
      <div className="row-window">
        <ul ref={list} className="row-items">
          {row.items.map((card, index) => (
            <li key={card.id}>
              <TitleCard card={card} kind={row.kind} {...(row.kind === 'top' ? { place: index + 1 } : {})} remove={remove && (() => remove(card.id))} />
            </li>
          ))}
        </ul>
        {/* For a mouse: a keyboard reaches the titles themselves. */}
        <button type="button" className="row-step" data-side="left" tabIndex={-1} aria-hidden="true" hidden={ends.atStart} onClick={() => scroll(-1)}><Icon name="back" /></button>
        <button type="button" className="row-step" data-side="right" tabIndex={-1} aria-hidden="true" hidden={ends.atEnd} onClick={() => scroll(1)}><Icon name="forward" /></button>
      </div>
    </section>
  )
}

/** Whether the row is scrolled to one of its ends. */
function useEnds(list: React.RefObject<HTMLUListElement | null>, count: number): { atStart: boolean; atEnd: boolean } {
  const [ends, setEnds] = useState({ atStart: true, atEnd: true })
  useEffect(() => {
    const element = list.current
    if (!element) return
    const read = (): void => {
      const atStart = element.scrollLeft < 8
      const atEnd = element.scrollLeft + element.clientWidth > element.scrollWidth - 8
      setEnds((before) => (before.atStart === atStart && before.atEnd === atEnd ? before : { atStart, atEnd }))
    }
    const watcher = new ResizeObserver(read)
    watcher.observe(element)
    element.addEventListener('scroll', read, { passive: true })
    return () => {
      watcher.disconnect()
      element.removeEventListener('scroll', read)
    }
  }, [list, count])
  return ends
}
