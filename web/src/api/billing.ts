/** Plans, the subscription and its invoices. Every write that costs carries a key by which a repetition is known. */
import { get, idempotencyKey, part, send } from './ask'
import { listOf } from './account'
import type { ChangePreview, Invoice, PaymentForm, Plan, Subscription } from './types'

export const listPlans = async (signal?: AbortSignal): Promise<Plan[]> => listOf<Plan>(await get('/api/plans', signal), 'plans').sort((a, b) => a.rank - b.rank)
/** Null where there never was one. */
export const getSubscription = (signal?: AbortSignal): Promise<Subscription | null> => get('/api/subscription', signal)
/** `key` stays the same while one purchase is tried again. */
export const subscribe = (plan: string, paymentToken: string, key: string): Promise<Subscription> =>
  send('POST', '/api/subscription', { plan, paymentToken }, { 'idempotency-key': key })
export const previewChange = (plan: string): Promise<ChangePreview> => send('POST', '/api/subscription/preview', { plan })
export const changePlan = (plan: string): Promise<Subscription> => send('POST', '/api/subscription/change', { plan }, { 'idempotency-key': idempotencyKey() })
export const cancelSubscription = (reason: string): Promise<Subscription> => send('POST', '/api/subscription/cancel', reason === '' ? {} : { reason })
export const resumeSubscription = (): Promise<Subscription> => send('POST', '/api/subscription/resume')
/** What the payment provider's form needs; opened each time one is shown. */
export const openPaymentForm = (): Promise<PaymentForm> => send('POST', '/api/subscription/payment-form')
export const setPaymentMethod = (paymentToken: string): Promise<unknown> =>
  send('PUT', '/api/subscription/payment-method', { paymentToken }, { 'idempotency-key': idempotencyKey() })
export const listInvoices = async (signal?: AbortSignal): Promise<Invoice[]> => listOf(await get('/api/invoices', signal), 'invoices')
export const invoiceAddress = (id: string): string => `/api/invoices/${part(id)}`
