/** Something asked for once, and again when what is asked for changes. */
import { useCallback, useEffect, useState } from 'react'
import { reasonOf } from './client'

export type Answer<T> = { state: 'waiting' } | { state: 'here'; value: T } | { state: 'failed'; reason: string; error: unknown }

/** Asks by `question`, which must be stable (`useCallback`, or a function of a module); `again` asks once more. */
export function useAnswer<T>(question: (signal: AbortSignal) => Promise<T>): [Answer<T>, again: () => void] {
  const [answer, setAnswer] = useState<Answer<T>>({ state: 'waiting' })
  const [round, setRound] = useState(0)
  useEffect(() => {
    const leaving = new AbortController()
    question(leaving.signal).then(
      (value) => {
        if (!leaving.signal.aborted) setAnswer({ state: 'here', value })
      },
      (error: unknown) => {
        if (!leaving.signal.aborted) setAnswer({ state: 'failed', reason: reasonOf(error), error })
      },
    )
    return () => leaving.abort()
  }, [question, round])
  const again = useCallback(() => setRound((n) => n + 1), [])
  return [answer, again]
}
