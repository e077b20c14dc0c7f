/** Lets the application open without a network: its own files, the last home and its pictures are kept. */
import { sendKept } from './sendKept'

/** Registers the service worker outside of development, and sends what could not be sent when there is a network again. */
export function keepOffline(): void {
  window.addEventListener('online', () => void sendKept())
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
