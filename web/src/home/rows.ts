/** The rows of home, in their order: what was begun first, nothing twice, nothing empty; and what stands above them. */
import type { Card, Home, Row, Title, Watched } from '../api/types'

/** A title of the plain list as a card. */
export function cardOf(title: Title): Card {
  return {
    id: title.id, name: title.name, kind: 'movie', year: 0, maturityAge: 0, durationSeconds: title.durationSeconds, description: title.description,
    artwork: { backdrop: title.artwork, colour: '' },
  }
}

/** Something that was begun, as a card that says how far. */
export function begunCard({ title, resumeSeconds }: Watched): Card {
  const share = title.durationSeconds > 0 ? Math.min(1, resumeSeconds / title.durationSeconds) : 0
  return { ...cardOf(title), progress: share, resumeSeconds }
}

/** Which rows are shown, of what home answered and what was begun by the history's word. */
export function shownRows(home: Home, begun: readonly Watched[]): Row[] {
  const rows = home.rows.filter((row, index) => row.items.length > 0 && home.rows.findIndex((other) => other.id === row.id) === index)
  const known = rows.find((row) => row.kind === 'continue')
  const going = known ?? (begun.length > 0 ? { id: 'continue', kind: 'continue' as const, title: 'Continue watching', items: begun.map(begunCard) } : null)
  const rest = rows.filter((row) => row.kind !== 'continue')
  return going ? [going, ...rest] : rest
}

/** Rows whose first title may stand above all, the likeliest to please first. */
const ABOVE: readonly Row['kind'][] = ['for-you', 'trending', 'new', 'top', 'genre']

/** Whether a card stands upright: some screens have no wide pictures. */
export const upright = ({ artwork }: Card): boolean => !artwork.backdrop && Boolean(artwork.poster)

/** The title that stands above the rows: the first with a picture that is not on the way already. */
export function heroOf(rows: readonly Row[]): Card | null {
  const begun = new Set(rows.find((row) => row.kind === 'continue')?.items.map(({ id }) => id))
  const ordered = ABOVE.flatMap((kind) => rows.filter((row) => row.kind === kind)).flatMap((row) => row.items)
  const pictured = ordered.filter(({ artwork }) => artwork.backdrop ?? artwork.poster)
  return pictured.find(({ id }) => !begun.has(id)) ?? pictured[0] ?? null
}

/** The row without one of its titles; without the row when that was its last. */
export function withoutCard(rows: readonly Row[], kind: Row['kind'], id: string): Row[] {
  return rows
    .map((row) => (row.kind === kind ? { ...row, items: row.items.filter((card) => card.id !== id) } : row))
    .filter((row) => row.items.length > 0)
}
