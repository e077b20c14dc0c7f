/** The payment method, in test mode: a card is chosen from the test provider's, no number is typed. */
import { type ReactElement, useId } from 'react'

export interface TestCard {
  /** What the payment provider knows it by. */
  token: string
  label: string
  note: string
}

/** The test provider's cards: how a payment by each ends. */
export const TEST_CARDS: readonly TestCard[] = [
  { token: 'test-ok', label: 'Test card ending in 0000', note: 'pays' },
  { token: 'test-declined', label: 'Test card ending in 0002', note: 'is declined' },
  { token: 'test-declined-later', label: 'Test card ending in 0341', note: 'pays now, is declined at renewals' },
  { token: 'test-slow', label: 'Test account ending in 0010', note: 'pays after a while' },
]

export function CardForm({ token, choose }: { token: string; choose: (token: string) => void }): ReactElement {
  const group = useId()
  return (
    <fieldset className="cards">
      <legend>Card</legend>
      <p className="field-hint">This house is in test mode: choose one of its test cards. No money moves.</p>
      {TEST_CARDS.map((card) => (
        <label key={card.token} className="test-card" data-chosen={card.token === token}>
          <input type="radio" name={group} value={card.token} checked={card.token === token} onChange={() => choose(card.token)} />
          <span className="test-card-label">{card.label}</span>
          <span className="soft">{card.note}</span>
        </label>
      ))}
    </fieldset>
  )
}
