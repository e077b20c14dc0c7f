/** Amounts of money as a person reads them. */
import type { Money } from '../api/types'

/** "9,99 €", "$9.99", "¥990": by the currency's own digits, in the language of the page; "–" where there is none. */
export function money(amount: Money | null | undefined, language?: string): string {
  if (!amount) return '–'
  const { minor, currency } = amount
  try {
    const format = new Intl.NumberFormat(language, { style: 'currency', currency })
    const digits = format.resolvedOptions().maximumFractionDigits ?? 2
    return format.format(minor / 10 ** digits)
  } catch {
    // A currency or a language that is none.
    return `${(minor / 100).toFixed(2)} ${currency}`
  }
}

/** How many digits a currency has after the point; null for what is no currency. */
function digitsOf(currency: string): number | null {
  try {
    return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
  } catch {
    return null
  }
}

/** The minor units that somebody typed as "9.99" or "9,99"; null where that is no amount. */
export function minorOf(typed: string, currency: string): number | null {
  const text = typed.trim().replace(',', '.')
  const digits = digitsOf(currency)
  if (digits === null || !/^\d{1,9}(\.\d+)?$/.test(text)) return null
  const [whole = '0', fraction = ''] = text.split('.')
  if (fraction.length > digits) return null
  return Number(whole) * 10 ** digits + Number(fraction.padEnd(digits, '0') || '0')
}

/** As it is typed: "9.99". */
export function typed({ minor, currency }: Money): string {
  const digits = digitsOf(currency) ?? 2
  return (minor / 10 ** digits).toFixed(digits)
}
