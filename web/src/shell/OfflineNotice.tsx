/** A word while the service is not reached: what is shown may be of earlier, and what is watched is reported later. */
import { type ReactElement, useSyncExternalStore } from 'react'
import { reach } from '../offline/reach'

export function OfflineNotice(): ReactElement {
  const reached = useSyncExternalStore(reach.subscribe, reach.snapshot)
  return <div role="status">{!reached && <p className="offline">The service can’t be reached just now. You see what was here the last time; films play when the service is reached again.</p>}</div>
}
