/** One title in a row: its picture, its name, how far it was watched. */
import type { ReactElement } from 'react'
import type { Card, RowKind } from '../api/types'
import { Artwork } from '../design/Artwork'
import { Icon } from '../design/icons'
import { Link, titlePath } from '../router'
import { length } from '../words/time'
import { upright } from './rows'

/** "2010 · 14 min · 6+" */
export function factsOf(card: Card): string {
  const facts: string[] = []
  if (card.year) facts.push(String(card.year))
  if (card.kind === 'series') facts.push('Series')
  else if (card.durationSeconds) facts.push(length(card.durationSeconds))
  if (card.maturityAge) facts.push(`${card.maturityAge}+`)
  return facts.join(' · ')
}

interface Props {
  card: Card
  kind?: RowKind
  /** From 1, in the top ten. */
  place?: number
  remove?: (() => void) | undefined
}

export function TitleCard({ card, kind, place, remove }: Props): ReactElement {
  const share = card.progress ?? 0
  const left = card.durationSeconds && share > 0 ? `${length(Math.max(0, card.durationSeconds * (1 - share)))} left` : ''
  const going = kind === 'continue'
  const tall = place !== undefined || upright(card)
  return (
    <article className="card" data-kind={place !== undefined ? 'place' : tall ? 'upright' : 'wide'}>
      <Link href={titlePath(card.id)} className="card-link" {...(going ? { wish: 'play' as const } : {})}>
        {place !== undefined && <span className="card-place" aria-hidden="true">{place}</span>}
        <span className="card-picture">
          <Artwork artwork={card.artwork} kind={tall ? 'poster' : 'backdrop'} name={card.name} sizes={tall ? '(max-width: 700px) 32vw, 12vw' : '(max-width: 700px) 60vw, 22vw'} />
          {going && <span className="card-play" aria-hidden="true"><Icon name="play" /></span>}
          {share > 0 && <span className="card-progress" aria-hidden="true"><span style={{ width: `${Math.round(share * 100)}%` }} /></span>}
        </span>
        <span className="card-words">
          <span className="card-name">
            {place !== undefined && <span className="visually-hidden">Number {place}: </span>}
            {going && <span className="visually-hidden">Resume </span>}
            {card.name}
          </span>
          {place === undefined && <span className="card-facts">{going && left !== '' ? left : factsOf(card)}</span>}
        </span>
      </Link>
      {remove && (
        <button type="button" className="card-remove" aria-label={`Remove ${card.name}`} title="Remove from this row" onClick={remove}>
          <Icon name="close" />
        </button>
      )}
    </article>
  )
}
