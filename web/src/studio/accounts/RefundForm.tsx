/** Money back, at most what was paid. */
import { type ReactElement, type SubmitEvent, useState } from 'react'
import { idempotencyKey, refund } from '../../api/studio'
import type { Invoice } from '../../api/types'
import { Dialog } from '../../design/Dialog'
import { Field } from '../../design/Field'
import { Problem } from '../../design/Problem'
import { useDeed } from '../../design/useDeed'
import { minorOf, money, typed } from '../../words/money'

export function RefundForm({ invoice, close, done }: { invoice: Invoice; close: () => void; done: () => void }): ReactElement {
  const currency = invoice.total?.currency ?? ''
  const most = { minor: ((invoice.paid ?? invoice.total)?.minor ?? 0) - (invoice.refunded?.minor ?? 0), currency }
  const [amount, setAmount] = useState(typed(most))
  const [reason, setReason] = useState('')
  const [key, setKey] = useState(idempotencyKey)
  const { busy, problemBeside, run, wrong } = useDeed()
  const minor = minorOf(amount, currency)
  const amiss = minor === null || minor === 0 ? 'An amount such as 9.99.' : minor > most.minor ? `At most ${money(most)}.` : ''
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    if (minor === null || amiss !== '') return
    run(() => refund(invoice.id, { minor, currency }, reason.trim(), key), done)
  }
  return (
    <Dialog title={`Refund ${invoice.number}`} close={close}>
      <form className="form" onSubmit={submit}>
        <Field label={`Amount in ${currency}`} inputMode="decimal" required autoFocus hint={`At most ${money(most)}.`} value={amount} wrong={amiss || wrong('amount')} onChange={(event) => { setAmount(event.currentTarget.value); setKey(idempotencyKey()) }} />
        <Field label="Reason" required maxLength={200} value={reason} wrong={wrong('reason')} onChange={(event) => setReason(event.currentTarget.value)} />
        <Problem words={problemBeside('amount', 'reason')} />
        <p className="form-deeds"><button type="submit" className="button primary" disabled={busy || amiss !== ''}>Refund</button><button type="button" className="button" onClick={close}>Cancel</button></p>
      </form>
    </Dialog>
  )
}
