/** A word while there is no network: what is shown may be of earlier, and what is watched is reported later. */
import { type ReactElement, useSyncExternalStore } from 'react'

function subscribe(changed: () => void): () => void {
  window.addEventListener('online', changed)
  window.addEventListener('offline', changed)
  return () => {
    window.removeEventListener('online', changed)
    window.removeEventListener('offline', changed)
  }
}

export function OfflineNotice(): ReactElement {
  const online = useSyncExternalStore(subscribe, () => navigator.onLine)
  return <div role="status">{!online && <p className="offline">You are offline. You see what was here the last time; films play when the network is back.</p>}</div>
}
