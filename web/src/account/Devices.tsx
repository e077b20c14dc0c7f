/** Where the account is signed in, each to be signed out from here. */
import type { ReactElement } from 'react'
import { listDevices, signOutDevice } from '../api/account'
import { useAnswer } from '../api/useAnswer'
import { Notice } from '../design/Notice'
import { Problem } from '../design/Problem'
import { useDeed } from '../design/useDeed'
import { Link } from '../router'
import { session } from '../session/me'
import { moment } from '../words/dates'
import { Section } from './Section'

export function Devices(): ReactElement {
  const [answer, again] = useAnswer(listDevices)
  const { busy, problem, run } = useDeed()
  return (
    <Section id="devices" title="Devices">
      {answer.state === 'failed' && <Notice title="The devices can’t be shown" again={again}>{answer.reason}</Notice>}
      {answer.state === 'here' && (
        <ul className="devices">
          {answer.value.map((device) => (
            <li key={device.id}>
              <span><strong>{device.name === '' ? device.kind : device.name}</strong>{device.current && <span className="soft"> (this one)</span>}</span>
              <span className="soft">Last seen {moment(device.lastSeenAt)}</span>
              <button type="button" className="button small" disabled={busy} aria-label={`Sign out ${device.name}`} onClick={() => run(() => signOutDevice(device.id), async () => { again(); await session.ask() })}>Sign out</button>
            </li>
          ))}
        </ul>
      )}
      <Problem words={problem} />
      <Link className="button" href="/tv">Connect a television</Link>
    </Section>
  )
}
