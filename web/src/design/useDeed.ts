/** Something that a person does to the service: under way, done, or refused with its reason. */
import { useCallback, useState } from 'react'
import { Refused, reasonFor, reasonOf } from '../api/ask'

export interface Deed {
  busy: boolean
  /** Why it was refused, as a sentence; empty where it was not. */
  problem: string
  /** The same, empty where it is told beside one of these fields already. */
  problemBeside: (...fields: string[]) => string
  /** Why this field was refused. */
  wrong: (field: string) => string
  /** Runs it unless it runs already, then what follows from its answer. */
  run: <T>(deed: () => Promise<T>, then?: (answer: T) => void | Promise<void>) => void
  clear: () => void
}

export function useDeed(): Deed {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const run = useCallback(<T>(deed: () => Promise<T>, then?: (answer: T) => void | Promise<void>) => {
    setBusy(true)
    setError(null)
    deed()
      .then((answer) => then?.(answer))
      .catch((refused: unknown) => setError(refused))
      .finally(() => setBusy(false))
  }, [])
  const clear = useCallback(() => setError(null), [])
  const problem = error === null ? '' : reasonOf(error)
  const problemBeside = (...fields: string[]): string => {
    const refused = error instanceof Refused ? error.fields : []
    return refused.length > 0 && refused.every(({ field }) => fields.includes(field)) ? '' : problem
  }
  return { busy, problem, problemBeside, wrong: (field) => reasonFor(error, field), run, clear }
}
