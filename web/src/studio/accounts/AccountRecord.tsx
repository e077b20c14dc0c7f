/** One account: its part in the house, and what it paid. */
import { type ReactElement, useCallback, useState } from 'react'
import { findAccounts, listAccountInvoices, setRoles } from '../../api/studio'
import type { StudioAccount, Invoice } from '../../api/types'
import { useAnswer } from '../../api/useAnswer'
import { Switch } from '../../design/Field'
import { Done, Problem } from '../../design/Problem'
import { useDeed } from '../../design/useDeed'
import { useSearch } from '../../router'
import { session } from '../../session/me'
import { day } from '../../words/dates'
import { money } from '../../words/money'
import { Asked, Desk, TableWindow } from '../Desk'
import { RefundForm } from './RefundForm'

const CRUMB = { href: '/studio/accounts', words: 'Accounts' }
const ROLES = [
  ['studio', 'Studio', 'Films, catalogue and recommendations'],
  ['support', 'Support', 'Accounts, plans and money'],
  ['admin', 'Administrator', 'Everything, and who has which role'],
] as const

export default function AccountRecord({ id }: { id: string }): ReactElement {
  const email = new URLSearchParams(useSearch()).get('email') ?? ''
  const [found, findAgain] = useAnswer(useCallback((signal: AbortSignal) => findAccounts(email, signal), [email]))
  const [invoices, again] = useAnswer(useCallback((signal: AbortSignal) => listAccountInvoices(id, signal), [id]))
  const [refunding, setRefunding] = useState<Invoice | null>(null)
  return (
    <Desk title={email === '' ? 'Account' : email} crumb={CRUMB}>
      <Asked answer={found} again={findAgain} what="the account">
        {(accounts) => {
          const account = accounts.find((each) => each.id === id)
          return account ? <Roles account={account} /> : <p className="soft">Its details are found by its address in <a href="/studio/accounts">accounts</a>.</p>
        }}
      </Asked>
      <section className="box" aria-labelledby="invoices-title">
        <h2 id="invoices-title">Invoices</h2>
        <Asked answer={invoices} again={again} what="the invoices">
          {(all) => all.length === 0 ? <p className="soft">There are none.</p> : (
            <TableWindow label="Invoices">
              <thead><tr><th scope="col">Number</th><th scope="col">Date</th><th scope="col" className="figure">Amount</th><th scope="col" className="figure">Given back</th><th scope="col">State</th><th scope="col"><span className="visually-hidden">Refund</span></th></tr></thead>
              <tbody>
                {all.map((invoice) => (
                  <tr key={invoice.id}>
                    <th scope="row">{invoice.number}</th>
                    <td>{day(invoice.issued)}</td>
                    <td className="figure">{money(invoice.total)}</td>
                    <td className="figure">{invoice.refunded && invoice.refunded.minor > 0 ? money(invoice.refunded) : '–'}</td>
                    <td>{invoice.state}</td>
                    <td>{invoice.state === 'paid' && <button type="button" className="button small" aria-label={`Refund ${invoice.number}`} onClick={() => setRefunding(invoice)}>Refund</button>}</td>
                  </tr>
                ))}
              </tbody>
            </TableWindow>
          )}
        </Asked>
      </section>
      {refunding && <RefundForm invoice={refunding} close={() => setRefunding(null)} done={() => { setRefunding(null); again() }} />}
    </Desk>
  )
}

function Roles({ account }: { account: StudioAccount }): ReactElement {
  const [roles, change] = useState(account.roles)
  const [done, setDone] = useState('')
  const { busy, problem, run } = useDeed()
  const toggle = (role: string): void => {
    const wanted = roles.includes(role) ? roles.filter((each) => each !== role) : [...roles, role]
    setDone('')
    run(() => setRoles(account.id, wanted), async () => {
      change(wanted)
      setDone('Saved.')
      await session.ask()
    })
  }
  return (
    <section className="box" aria-labelledby="roles-title">
      <h2 id="roles-title">Roles</h2>
      {ROLES.map(([role, words, hint]) => <Switch key={role} label={words} hint={hint} checked={roles.includes(role)} disabled={busy} onChange={() => toggle(role)} />)}
      <Problem words={problem} />
      <Done words={done} />
    </section>
  )
}
