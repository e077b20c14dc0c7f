/** Whoever pays: a payment method that is typed or chosen, until its provider has made a token of it. */
export interface Payer {
  /** The provider's token, the same each time; fails with words for the person where the form is not filled in rightly. */
  token: () => Promise<string>
}
