/**
 * New tokens for old ones, one request at a time: a refresh token is good for once, and one that comes twice signs its
 * device out. So the tabs of a browser take turns, and whoever waited for another's turn needs none of its own.
 */

/** When tokens were last renewed, milliseconds since 1970; shared by the tabs. A time, never a token. */
const RENEWED = 'matinee-renewed-at'

/** What a renewal stands on; the browser's own outside of tests. */
export interface Turns {
  /** Runs `turn` when no other tab runs one. */
  exclusively: <T>(turn: () => Promise<T>) => Promise<T>
  /** 0: never. */
  lastRenewed: () => number
  noteRenewed: (at: number) => void
  /** Asks for new tokens; true where they came. */
  renew: () => Promise<boolean>
  now: () => number
}

/** A function that gets new tokens for whoever met an expired one with a request begun at `asked`. */
export function singleFlight({ exclusively, lastRenewed, noteRenewed, renew, now }: Turns): (asked: number) => Promise<boolean> {
  let flight: Promise<boolean> | null = null
  return (asked) => {
    flight ??= exclusively(async () => {
      if (lastRenewed() > asked) return true
      const renewed = await renew()
      if (renewed) noteRenewed(now())
      return renewed
    }).finally(() => (flight = null))
    return flight
  }
}

async function inTurn<T>(turn: () => Promise<T>): Promise<T> {
  // Locks are there in secure contexts only; a plain address has its one tab's order.
  const locks = (navigator as Partial<Navigator>).locks
  if (!locks) return turn()
  const held = await locks.request('matinee-refresh', turn)
  return held
}

function readRenewed(): number {
  try {
    return Number(localStorage.getItem(RENEWED) ?? 0)
  } catch {
    return 0
  }
}

function writeRenewed(at: number): void {
  try {
    localStorage.setItem(RENEWED, String(at))
  } catch {
    // Without storage each tab renews for itself.
  }
}

/** Renews the tokens of this browser. False where that was refused: nobody is signed in any more. */
export const renewTokens = singleFlight({
  exclusively: inTurn,
  lastRenewed: readRenewed,
  noteRenewed: writeRenewed,
  renew: async () => {
    const answer = await fetch('/api/account/refresh', { method: 'POST', headers: { accept: 'application/json', 'content-type': 'application/json' }, body: '{}' })
    // A service that is busy or away has not said no.
    if (answer.status === 429 || answer.status >= 500) throw new Error(`the service answered ${answer.status}`)
    return answer.ok
  },
  now: Date.now,
})
