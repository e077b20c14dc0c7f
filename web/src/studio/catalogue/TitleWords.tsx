/** The plain words of a title, its place in a series, and its times. */
import { type ReactElement, useState } from 'react'
import type { CatalogTitle, TitleKind } from '../../api/types'
import { Choice, Field, TextField } from '../../design/Field'
import { clock } from '../../words/time'
import { listed, secondsTyped, slugOf } from './slug'

interface Props {
  title: CatalogTitle
  change: (by: Partial<CatalogTitle>) => void
  wrong: (field: string) => string
}

const whole = (typed: string): number => Math.max(0, Math.floor(Number(typed)) || 0)

export function Words({ title, change, wrong }: Props): ReactElement {
  return (
    <section className="box" aria-labelledby="words-title">
      <h2 id="words-title">Words</h2>
      <Field label="Name" required maxLength={200} value={title.name} wrong={wrong('name')} onChange={(event) => change({ name: event.currentTarget.value })} />
      <TextField label="Description" rows={4} maxLength={4000} value={title.description} wrong={wrong('description')} onChange={(event) => change({ description: event.currentTarget.value })} />
      <div className="pair">
        <Choice label="Kind" value={title.kind} onChange={(event) => change({ kind: event.currentTarget.value as TitleKind })}>
          <option value="movie">Film</option>
          <option value="series">Series</option>
          <option value="episode">Episode</option>
        </Choice>
        <Field label="Year" inputMode="numeric" maxLength={4} value={title.year === 0 ? '' : title.year} wrong={wrong('year')} onChange={(event) => change({ year: whole(event.currentTarget.value) })} />
        <Field label="Age from" inputMode="numeric" maxLength={2} hint="0: for all" value={title.maturityAge} wrong={wrong('maturity_age')} onChange={(event) => change({ maturityAge: whole(event.currentTarget.value) })} />
      </div>
      <ListField label="Genres" hint="science-fiction, drama" values={title.genres} wrong={wrong('genres')} change={(genres) => change({ genres: genres.map(slugOf) })} />
      <div className="pair">
        <Field label="Original name" maxLength={200} value={title.originalName} wrong={wrong('original_name')} onChange={(event) => change({ originalName: event.currentTarget.value })} />
        <Field label="Original language" maxLength={35} value={title.originalLanguage} wrong={wrong('original_language')} onChange={(event) => change({ originalLanguage: event.currentTarget.value })} />
      </div>
      <div className="pair">
        <ListField label="Sound in" hint="en, de" values={title.audioLanguages} wrong={wrong('audio_languages')} change={(audioLanguages) => change({ audioLanguages })} />
        <ListField label="Subtitles in" hint="en, de" values={title.subtitleLanguages} wrong={wrong('subtitle_languages')} change={(subtitleLanguages) => change({ subtitleLanguages })} />
      </div>
      <div className="pair">
        <Field label="Credits" maxLength={500} value={title.credits} wrong={wrong('credits')} onChange={(event) => change({ credits: event.currentTarget.value })} />
        <Field label="Licence of the work" maxLength={100} value={title.license} wrong={wrong('license')} onChange={(event) => change({ license: event.currentTarget.value })} />
      </div>
    </section>
  )
}

/** A list that is typed with commas; it is read when the field is left. */
function ListField({ label, hint, values, wrong, change }: { label: string; hint: string; values: string[]; wrong: string; change: (values: string[]) => void }): ReactElement {
  const [typed, setTyped] = useState(values.join(', '))
  return <Field label={label} hint={hint} value={typed} wrong={wrong} onChange={(event) => setTyped(event.currentTarget.value)} onBlur={() => change(listed(typed))} />
}

export function PlaceInSeries({ title, change, wrong }: Props): ReactElement {
  return (
    <section className="box" aria-labelledby="place-title">
      <h2 id="place-title">Place in its series</h2>
      <div className="pair">
        <Field label="Series" hint="Its id" required maxLength={63} value={title.series} wrong={wrong('series')} onChange={(event) => change({ series: event.currentTarget.value })} />
        <Field label="Season" inputMode="numeric" hint="0: specials" value={title.season} wrong={wrong('season')} onChange={(event) => change({ season: whole(event.currentTarget.value) })} />
        <Field label="Episode" inputMode="numeric" value={title.episode} wrong={wrong('episode')} onChange={(event) => change({ episode: whole(event.currentTarget.value) })} />
      </div>
    </section>
  )
}

const TIMES = [['introStart', 'Opening from'], ['introEnd', 'Opening until'], ['creditsStart', 'Closing credits from']] as const

export function Times({ title, change }: Omit<Props, 'wrong'>): ReactElement {
  return (
    <section className="box" aria-labelledby="times-title">
      <h2 id="times-title">Opening and credits</h2>
      <div className="pair">{TIMES.map(([name, label]) => <TimeField key={name} label={label} seconds={title[name]} change={(seconds) => change({ [name]: seconds })} />)}</div>
    </section>
  )
}

function TimeField({ label, seconds, change }: { label: string; seconds: number; change: (seconds: number) => void }): ReactElement {
  const [typed, setTyped] = useState(seconds === 0 ? '' : clock(seconds))
  const read = secondsTyped(typed)
  return <Field label={label} placeholder="0:00" value={typed} wrong={read === null ? 'A time such as 1:30.' : ''} onChange={(event) => setTyped(event.currentTarget.value)} onBlur={() => { if (read !== null) change(read) }} />
}
