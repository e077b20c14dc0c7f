/**
 * Stripe's form, in a frame of Stripe's: it confirms a SetupIntent, and its owner's bank asks there what it wants to ask.
 * Source: docs.stripe.com/payments/save-and-reuse (Payment Element).
 */
import type { Appearance, Stripe, StripeElements } from '@stripe/stripe-js'
import { loadStripe } from '@stripe/stripe-js/pure'
import { type ReactElement, useEffect, useRef, useState } from 'react'
import type { PaymentForm } from '../api/types'
import { Notice } from '../design/Notice'
import type { Payer } from './payer'

interface Props {
  form: PaymentForm
  take: (payer: Payer | null) => void
  /** Opens another form. */
  again: () => void
}

export default function StripeForm({ form, take, again }: Props): ReactElement {
  const box = useRef<HTMLDivElement>(null)
  const [state, setState] = useState<'waiting' | 'here' | 'failed'>('waiting')
  useEffect(() => {
    let gone = false
    let leave = (): void => undefined
    const open = async (): Promise<void> => {
      const stripe = await loadStripe(form.publishableKey)
      if (gone || !stripe || !box.current) return
      const elements = stripe.elements({ clientSecret: form.clientSecret, appearance: appearance() })
      const element = elements.create('payment')
      element.on('ready', () => {
        setState('here')
        take(payer(stripe, elements))
      })
      element.on('loaderror', () => setState('failed'))
      element.mount(box.current)
      leave = () => element.destroy()
    }
    open().catch(() => {
      if (!gone) setState('failed')
    })
    return () => {
      gone = true
      take(null)
      leave()
    }
  }, [form, take])
  if (state === 'failed') return <Notice title="The payment form can’t be shown" again={again}>Stripe could not be reached. Check the connection, and whether something in your browser holds it back.</Notice>
  return <div ref={box} className={`payment-form${state === 'waiting' ? ' skeleton' : ''}`} aria-busy={state === 'waiting'} />
}

/** Confirms the form once: what it came to stays, for a purchase that is sent again. */
function payer(stripe: Stripe, elements: StripeElements): Payer {
  let confirmed = ''
  return {
    token: async () => {
      if (confirmed !== '') return confirmed
      const filled = await elements.submit()
      if (filled.error) throw new Error(filled.error.message ?? 'Something of the card is missing.')
      const { error, setupIntent } = await stripe.confirmSetup({
        elements, redirect: 'if_required', confirmParams: { return_url: window.location.href },
      })
      if (error) throw new Error(error.message ?? 'The card was not accepted.')
      const method = setupIntent.payment_method
      confirmed = typeof method === 'string' ? method : (method?.id ?? '')
      if (confirmed === '') throw new Error('The card was not accepted.')
      return confirmed
    },
  }
}

/** The page's colours, which a frame does not inherit. */
function appearance(): Appearance {
  const style = getComputedStyle(document.documentElement)
  const of = (name: string): string => style.getPropertyValue(name).trim()
  return {
    theme: 'night',
    variables: {
      colorPrimary: of('--accent'), colorBackground: of('--ground'), colorText: of('--text'),
      colorTextSecondary: of('--text-soft'), colorDanger: of('--bad'), borderRadius: of('--radius'),
    },
  }
}
