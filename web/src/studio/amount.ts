/** Amounts as the studio writes them. */

/** A share from 0 to 1 in whole percent, 100 only when all is done. */
export function percent(share: number): string {
  return `${Math.floor(Math.min(1, Math.max(0, share)) * 100)} %`
}
