/** Who watches, known to every page: asked once at the start, replaced by what sign-in, profiles and plans answer. */
import { useSyncExternalStore } from 'react'
import { getMe, signOut } from '../api/account'
import { Refused, onSignedOut, reasonOf } from '../api/ask'
import type { Me } from '../api/types'
import { forgetAnswers } from '../offline/answers'
import { beatStore } from '../offline/beatStore'
import { sendKept } from '../offline/sendKept'

export type Known = { state: 'waiting' } | { state: 'here'; me: Me } | { state: 'failed'; reason: string }

/** Nobody signed in, where anyone may watch. */
export const ANYONE: Me = { signedIn: false, mode: 'open', account: null, profiles: [], profile: null, subscription: null, territory: '' }

class Session {
  private known: Known = { state: 'waiting' }
  private readonly listeners = new Set<() => void>()
  private asking: Promise<void> | null = null

  readonly subscribe = (changed: () => void): (() => void) => {
    this.listeners.add(changed)
    return () => this.listeners.delete(changed)
  }

  readonly snapshot = (): Known => this.known

  /** Asks who this is; one question at a time. */
  readonly ask = (): Promise<void> => {
    this.asking ??= getMe()
      .then(
        (me) => this.set(me),
        (error: unknown) => {
          // A service without accounts is open to anyone.
          if (error instanceof Refused && error.status === 404) this.set(ANYONE)
          else if (this.known.state !== 'here') this.replace({ state: 'failed', reason: reasonOf(error) })
        },
      )
      .finally(() => (this.asking = null))
    return this.asking
  }

  readonly set = (me: Me): void => {
    this.replace({ state: 'here', me })
    beatStore.belongTo(me.profile?.id ?? '')
    void sendKept()
  }

  /** Takes the answer of a route that may or may not tell who this is. */
  readonly take = async (answer: Me | undefined | null): Promise<void> => {
    if (answer && typeof answer === 'object' && 'signedIn' in answer) this.set(answer)
    else await this.ask()
  }

  /** What was kept on this device for whoever was here goes with them. */
  readonly leave = async (): Promise<void> => {
    await signOut()
    beatStore.forget()
    await forgetAnswers()
    await this.ask()
  }

  private replace(known: Known): void {
    this.known = known
    for (const changed of this.listeners) changed()
  }
}

export const session = new Session()

onSignedOut(() => {
  beatStore.forget()
  void forgetAnswers().then(session.ask)
})

export const useKnown = (): Known => useSyncExternalStore(session.subscribe, session.snapshot)

/** Who watches; null until that is known. */
export function useMe(): Me | null {
  const known = useKnown()
  return known.state === 'here' ? known.me : null
}

/** Whether somebody may see the studio: its people, and anyone where there are no accounts. */
export function mayStudio(me: Me | null): boolean {
  if (!me) return false
  return me.mode === 'open' || (me.account?.roles ?? []).some((role) => ['studio', 'support', 'admin'].includes(role))
}
