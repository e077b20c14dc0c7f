/** The ledger: every movement of money twice, and the sums that are always zero. */
import { type ReactElement, useCallback, useState } from 'react'
import { getLedger } from '../../api/studio'
import { useAnswer } from '../../api/useAnswer'
import { useDebounced } from '../../search/useDebounced'
import { moment } from '../../words/dates'
import { money } from '../../words/money'
import { Asked, Desk, TableWindow } from '../Desk'

const PAUSE_MS = 250

export default function LedgerPage(): ReactElement {
  const [typed, setTyped] = useState('')
  const [after, setAfter] = useState('')
  const account = useDebounced(typed.trim(), PAUSE_MS)
  const [answer, again] = useAnswer(useCallback((signal: AbortSignal) => getLedger(account, after, signal), [account, after]))
  return (
    <Desk title="Ledger">
      <input className="desk-find" type="search" aria-label="Account’s id" placeholder="All accounts; or one account’s id" value={typed} onChange={(event) => { setTyped(event.currentTarget.value); setAfter('') }} />
      <Asked answer={answer} again={again} what="the ledger">
        {({ entries, balances, sums }) => {
          const last = entries.at(-1)?.transaction ?? ''
          return (
            <>
              <ul className="facts" aria-label="Sums">
                {sums.map((sum) => (
                  <li key={sum.currency} data-tone={sum.minor === 0 ? 'good' : 'bad'}>
                    <span className="fact-name">Sum in {sum.currency}</span>
                    <span className="fact-value">{money(sum)}</span>
                    <span className="soft">{sum.minor === 0 ? 'balanced' : 'must be zero: something is wrong'}</span>
                  </li>
                ))}
              </ul>
              <section className="box" aria-labelledby="balances-title">
                <h2 id="balances-title">Balances</h2>
                <TableWindow label="Balances">
                  <thead><tr><th scope="col">Ledger account</th><th scope="col" className="figure">Balance</th></tr></thead>
                  <tbody>{balances.map(({ ledgerAccount, amount }) => <tr key={`${ledgerAccount} ${amount?.currency ?? ''}`}><th scope="row">{ledgerAccount}</th><td className="figure">{money(amount)}</td></tr>)}</tbody>
                </TableWindow>
              </section>
              <section className="box" aria-labelledby="entries-title">
                <h2 id="entries-title">Entries</h2>
                <TableWindow label="Entries">
                  <thead><tr><th scope="col">When</th><th scope="col">Ledger account</th><th scope="col" className="figure">Amount</th><th scope="col">Why</th><th scope="col">Transaction</th></tr></thead>
                  <tbody>
                    {entries.map((entry, index) => (
                      <tr key={`${entry.transaction} ${index}`}>
                        <td>{moment(entry.at)}</td>
                        <td>{entry.ledgerAccount}</td>
                        <td className="figure">{money(entry.amount)}</td>
                        <td>{entry.reason}</td>
                        <td className="mono">{entry.transaction}</td>
                      </tr>
                    ))}
                  </tbody>
                </TableWindow>
                <p className="row">
                  {after !== '' && <button type="button" className="button small" onClick={() => setAfter('')}>From the beginning</button>}
                  {last !== '' && <button type="button" className="button small" onClick={() => setAfter(last)}>Further</button>}
                </p>
              </section>
            </>
          )
        }}
      </Asked>
    </Desk>
  )
}
