/** Lets the application open without a network: its own files, the last home and its pictures are kept. */
import { beatStore } from './beatStore'
import { sendHeartbeats } from '../api/client'

/** Registers the service worker and sends what could not be sent; outside of development. */
export function keepOffline(): void {
  window.addEventListener('online', () => void sendKept())
  window.addEventListener('load', () => void sendKept())
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return
  window.addEventListener('load', () => {
    navigator.serviceWorker
      .register('/sw.js')
      .then(() => navigator.serviceWorker.ready)
      .then(({ active }) => {
        // What this page fetched before the worker was there.
        const fetched = performance.getEntriesByType('resource').map(({ name }) => name)
        active?.postMessage({ keep: ['/', ...fetched.filter((name) => name.includes('/assets/'))] })
      })
      .catch(() => undefined)
  })
}

/** Heartbeats of a page that was closed without a network. */
async function sendKept(): Promise<void> {
  const beats = beatStore.all()
  if (beats.length === 0) return
  await sendHeartbeats({ sentAt: Date.now(), beats }).then(() => beatStore.sent(beats), () => undefined)
}
