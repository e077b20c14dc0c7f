/** Where a payment method is typed or chosen: the payment provider's own form, which alone sees a card's number. */
import { type ReactElement, Suspense, lazy, useEffect, useState } from 'react'
import { openPaymentForm } from '../api/billing'
import { useAnswer } from '../api/useAnswer'
import { Notice } from '../design/Notice'
import { TestCards } from './TestCards'
import type { Payer } from './payer'

const StripeForm = lazy(() => import('./StripeForm'))

interface Props {
  /** Takes who pays, and another whenever what is chosen is another; must be stable. */
  take: (payer: Payer | null) => void
  /** Counts payment methods that were refused: a provider's form takes one. */
  refused?: number
}

export function PaymentForm({ take, refused = 0 }: Props): ReactElement {
  const [answer, again] = useAnswer(openPaymentForm)
  const [round, setRound] = useState(0)
  const afresh = (): void => {
    setRound((n) => n + 1)
    again()
  }
  const provider = answer.state === 'here' ? answer.value.provider : ''
  useEffect(() => {
    if (refused > 0) again()
  }, [refused, again])
  if (answer.state === 'waiting') return <div className="payment-form skeleton" aria-busy="true" />
  if (answer.state === 'failed') return <Notice title="Payments can’t be taken now" again={again}>{answer.reason}</Notice>
  if (provider === 'test') return <TestCards take={take} />
  if (provider !== 'stripe') return <Notice title="Payments can’t be taken here">This page does not know the payment provider {provider}.</Notice>
  return (
    <Suspense fallback={<div className="payment-form skeleton" aria-busy="true" />}>
      <StripeForm key={round} form={answer.value} take={take} again={afresh} />
    </Suspense>
  )
}
