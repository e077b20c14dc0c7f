/** Sends the heartbeats of pages that were closed without a network. */
import { sendHeartbeats } from '../api/client'
import { beatStore } from './beatStore'

export async function sendKept(): Promise<void> {
  const beats = beatStore.all()
  if (beats.length === 0) return
  await sendHeartbeats({ sentAt: Date.now(), beats }).then(() => beatStore.sent(beats), () => undefined)
}
