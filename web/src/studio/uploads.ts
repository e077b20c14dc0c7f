/** The uploads that this page runs. They go on while the studio's other pages are looked at. */
import type { FilmUpload } from './filmUpload'

class Uploads {
  private list: readonly FilmUpload[] = []
  private readonly listeners = new Set<() => void>()

  readonly subscribe = (changed: () => void): (() => void) => {
    this.listeners.add(changed)
    return () => this.listeners.delete(changed)
  }

  /** The newest first. */
  readonly snapshot = (): readonly FilmUpload[] => this.list

  add(upload: FilmUpload): void {
    this.replace([upload, ...this.list])
    // Its id comes with the service's first answer; what is shown beside it depends on that, and on how it ends.
    let seen = ''
    upload.subscribe(() => {
      const now = `${upload.id} ${upload.snapshot().phase}`
      if (now === seen) return
      seen = now
      this.replace([...this.list])
    })
  }

  /** Takes one that has ended from the list. */
  dismiss(upload: FilmUpload): void {
    this.replace(this.list.filter((each) => each !== upload))
  }

  private replace(list: readonly FilmUpload[]): void {
    this.list = list
    for (const changed of this.listeners) changed()
  }
}

export const uploads = new Uploads()

// What stopped for want of a network goes on when it is back.
window.addEventListener('online', () => {
  for (const upload of uploads.snapshot()) if (upload.snapshot().phase === 'failed') upload.resume()
})
