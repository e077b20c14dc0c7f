/** Accounts, found by the beginning of their address. */
import { type ReactElement, useCallback, useState } from 'react'
import { findAccounts } from '../../api/studio'
import { useAnswer } from '../../api/useAnswer'
import { Link, roomPath } from '../../router'
import { useDebounced } from '../../search/useDebounced'
import { day } from '../../words/dates'
import { territoryName } from '../../words/languages'
import { Asked, Desk, TableWindow } from '../Desk'

const PAUSE_MS = 200

export default function AccountsPage(): ReactElement {
  const [typed, setTyped] = useState('')
  const q = useDebounced(typed.trim(), PAUSE_MS)
  const [answer, again] = useAnswer(useCallback((signal: AbortSignal) => findAccounts(q, signal), [q]))
  return (
    <Desk title="Accounts">
      <input className="desk-find" type="search" aria-label="Find an account" placeholder="The beginning of an email address" value={typed} onChange={(event) => setTyped(event.currentTarget.value)} />
      <Asked answer={answer} again={again} what="the accounts">
        {(accounts) => accounts.length === 0 ? <p className="soft" role="status">No address begins so.</p> : (
          <TableWindow label="Accounts">
            <thead><tr><th scope="col">Email</th><th scope="col">Verified</th><th scope="col">Country</th><th scope="col">Roles</th><th scope="col">Since</th></tr></thead>
            <tbody>
              {accounts.map((account) => (
                <tr key={account.id}>
                  <th scope="row"><Link href={`${roomPath('accounts', account.id)}?email=${encodeURIComponent(account.email)}`}>{account.email}</Link></th>
                  <td>{account.emailVerified ? 'Yes' : 'No'}</td>
                  <td>{account.territory === '' ? '–' : territoryName(account.territory)}</td>
                  <td>{account.roles.length === 0 ? 'Viewer' : account.roles.join(', ')}</td>
                  <td>{day(account.created)}</td>
                </tr>
              ))}
            </tbody>
          </TableWindow>
        )}
      </Asked>
    </Desk>
  )
}
