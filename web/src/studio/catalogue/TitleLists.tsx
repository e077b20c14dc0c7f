/** The lists of a title: its people, its ratings by territory, its words in other languages. Each line can be changed and left out. */
import type { ReactElement, ReactNode } from 'react'
import type { CatalogTitle } from '../../api/types'
import { slugOf } from './slug'

interface Props {
  title: CatalogTitle
  change: (by: Partial<CatalogTitle>) => void
}

interface ListProps<T> {
  name: string
  items: readonly T[]
  /** What a new line begins with. */
  fresh: T
  add: string
  change: (items: T[]) => void
  line: (item: T, change: (by: Partial<T>) => void, number: number) => ReactNode
}

function Lines<T>({ name, items, fresh, add, change, line }: ListProps<T>): ReactElement {
  const heading = slugOf(name)
  return (
    <section className="box" aria-labelledby={heading}>
      <h2 id={heading}>{name}</h2>
      {items.length > 0 && (
        <ul className="lines">
          {items.map((item, index) => (
            <li key={index}>
              {line(item, (by) => change(items.map((each, at) => (at === index ? { ...each, ...by } : each))), index + 1)}
              <button type="button" className="button small" aria-label={`Leave out line ${index + 1} of ${name}`} onClick={() => change(items.filter((_, at) => at !== index))}>Leave out</button>
            </li>
          ))}
        </ul>
      )}
      <button type="button" className="button small" onClick={() => change([...items, fresh])}>{add}</button>
    </section>
  )
}

/** A field of a line: its label is for those who can't see the columns. */
function Cell({ label, value, change, size }: { label: string; value: string; change: (value: string) => void; size?: number }): ReactElement {
  return <input aria-label={label} placeholder={label.replace(/ \d+$/, '')} size={size} value={value} onChange={(event) => change(event.currentTarget.value)} />
}

export function CreditsEditor({ title, change }: Props): ReactElement {
  return (
    <Lines
      name="People"
      items={title.people}
      fresh={{ person: '', name: '', job: 'cast', character: '' }}
      add="Add a person"
      change={(people) => change({ people })}
      line={(credit, by, number) => (
        <>
          <Cell label={`Name ${number}`} value={credit.name} change={(name) => by({ name, person: credit.person === '' || credit.person === slugOf(credit.name) ? slugOf(name) : credit.person })} />
          <Cell label={`Job ${number}`} size={9} value={credit.job} change={(job) => by({ job })} />
          <Cell label={`Character ${number}`} size={14} value={credit.character} change={(character) => by({ character })} />
        </>
      )}
    />
  )
}

export function RatingsEditor({ title, change }: Props): ReactElement {
  return (
    <Lines
      name="Age ratings"
      items={title.ratings}
      fresh={{ territory: '', system: '', label: '', age: 0 }}
      add="Add a rating"
      change={(ratings) => change({ ratings })}
      line={(rating, by, number) => (
        <>
          <Cell label={`Territory ${number}`} size={4} value={rating.territory} change={(territory) => by({ territory: territory.toUpperCase().slice(0, 2) })} />
          <Cell label={`System ${number}`} size={8} value={rating.system} change={(system) => by({ system })} />
          <Cell label={`Label ${number}`} size={8} value={rating.label} change={(label) => by({ label })} />
          <Cell label={`Age ${number}`} size={3} value={String(rating.age)} change={(age) => by({ age: Math.max(0, Math.floor(Number(age)) || 0) })} />
        </>
      )}
    />
  )
}

export function LocalizedEditor({ title, change }: Props): ReactElement {
  return (
    <Lines
      name="In other languages"
      items={title.localized}
      fresh={{ language: '', name: '', description: '' }}
      add="Add a language"
      change={(localized) => change({ localized })}
      line={(words, by, number) => (
        <>
          <Cell label={`Language ${number}`} size={6} value={words.language} change={(language) => by({ language: language.trim() })} />
          <Cell label={`Name ${number}`} value={words.name} change={(name) => by({ name })} />
          <textarea aria-label={`Description ${number}`} placeholder="Description" rows={2} value={words.description} onChange={(event) => by({ description: event.currentTarget.value })} />
        </>
      )}
    />
  )
}
