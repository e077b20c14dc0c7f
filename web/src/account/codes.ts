/** Codes of televisions: eight letters or digits in two halves. */

/** What was typed, as the television spells it: "wdjb mjht" becomes "WDJB-MJHT". */
export function spelt(typed: string): string {
  const letters = typed.toUpperCase().replace(/[^A-Z0-9]/g, '').slice(0, 8)
  return letters.length > 4 ? `${letters.slice(0, 4)}-${letters.slice(4)}` : letters
}
