/** What was paid. Each invoice is a page that prints. */
import type { ReactElement } from 'react'
import { invoiceAddress, listInvoices } from '../api/billing'
import { useAnswer } from '../api/useAnswer'
import { Notice } from '../design/Notice'
import { day } from '../words/dates'
import { money } from '../words/money'
import { Section } from './Section'

const STATES: Record<string, string> = { open: 'Open', paid: 'Paid', void: 'Void', refunded: 'Refunded' }

export function Invoices(): ReactElement {
  const [answer, again] = useAnswer(listInvoices)
  return (
    <Section id="invoices" title="Invoices">
      {answer.state === 'failed' && <Notice title="The invoices can’t be shown" again={again}>{answer.reason}</Notice>}
      {answer.state === 'here' && answer.value.length === 0 && <p className="soft">There are none yet.</p>}
      {answer.state === 'here' && answer.value.length > 0 && (
        <div className="table-window" tabIndex={0} role="region" aria-label="Invoices">
          <table className="table">
            <thead><tr><th scope="col">Number</th><th scope="col">Date</th><th scope="col" className="figure">Amount</th><th scope="col">State</th></tr></thead>
            <tbody>
              {answer.value.map((invoice) => (
                <tr key={invoice.id}>
                  <th scope="row"><a href={invoiceAddress(invoice.id)} target="_blank" rel="noreferrer">{invoice.number}</a></th>
                  <td>{day(invoice.issued)}</td>
                  <td className="figure">{money(invoice.total)}</td>
                  <td>{STATES[invoice.state] ?? invoice.state}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  )
}
