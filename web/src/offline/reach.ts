/** Whether the service is reached: what it answered last came from it, or from what was kept of it. */

/** On answers that the service worker kept; named alike in `worker.ts`. */
const KEPT = 'x-matinee-kept'

class Reach {
  private reached = true
  private readonly listeners = new Set<() => void>()

  readonly subscribe = (changed: () => void): (() => void) => {
    this.listeners.add(changed)
    window.addEventListener('online', changed)
    window.addEventListener('offline', changed)
    return () => {
      this.listeners.delete(changed)
      window.removeEventListener('online', changed)
      window.removeEventListener('offline', changed)
    }
  }

  readonly snapshot = (): boolean => this.reached && navigator.onLine

  /** An answer came; from the service, unless it says that it was kept. */
  note(headers: Headers): void {
    this.set(!headers.has(KEPT))
  }

  /** No answer came. */
  lost(): void {
    this.set(false)
  }

  private set(reached: boolean): void {
    if (reached === this.reached) return
    this.reached = reached
    for (const changed of this.listeners) changed()
  }
}

export const reach = new Reach()
