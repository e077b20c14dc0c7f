/** What stands above the rows: one title, large, to play at once. */
import type { ReactElement } from 'react'
import type { Card } from '../api/types'
import { Artwork } from '../design/Artwork'
import { Icon } from '../design/icons'
import { Link, go, titlePath } from '../router'
import { factsOf } from './TitleCard'

export function Hero({ card }: { card: Card }): ReactElement {
  return (
    <section className="hero" aria-label={card.name} data-spatial>
      <div className="hero-picture"><Artwork artwork={card.artwork} kind="backdrop" name={card.name} sizes="100vw" eager /></div>
      <div className="hero-words">
        <h1>{card.name}</h1>
        <p className="hero-facts">{card.score ? <span className="about-score">{Math.round(card.score)} % like it</span> : null} {factsOf(card)}</p>
        {card.description && <p className="hero-about">{card.description}</p>}
        <p className="hero-deeds">
          <button type="button" className="button bright large" onClick={() => go(titlePath(card.id), 'play')}>
            <Icon name="play" /> Play<span className="visually-hidden"> {card.name}</span>
          </button>
          <Link href={titlePath(card.id)} className="button glass large"><Icon name="info" /> More<span className="visually-hidden"> about {card.name}</span></Link>
        </p>
      </div>
    </section>
  )
}
