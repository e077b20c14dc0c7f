/** The payment method, in test mode: a card is chosen from the test provider's, no number is typed. */
import { type ReactElement, useEffect, useId, useState } from 'react'
import type { Payer } from './payer'

/** The test provider's cards: how a payment by each ends. */
const TEST_CARDS = [
  { token: 'test-ok', label: 'Test card ending in 0000', note: 'pays' },
  { token: 'test-declined', label: 'Test card ending in 0002', note: 'is declined' },
  { token: 'test-declined-later', label: 'Test card ending in 0341', note: 'pays now, is declined at renewals' },
  { token: 'test-slow', label: 'Test account ending in 0010', note: 'pays after a while' },
] as const

export function TestCards({ take }: { take: (payer: Payer) => void }): ReactElement {
  const [chosen, setChosen] = useState<string>(TEST_CARDS[0].token)
  const group = useId()
  useEffect(() => take({ token: () => Promise.resolve(chosen) }), [chosen, take])
  return (
    <fieldset className="cards">
      <legend>Card</legend>
      <p className="field-hint">This house is in test mode: choose one of its test cards. No money moves.</p>
      {TEST_CARDS.map(({ token, label, note }) => (
        <label key={token} className="test-card" data-chosen={token === chosen}>
          <input type="radio" name={group} value={token} checked={token === chosen} onChange={() => setChosen(token)} />
          <span className="test-card-label">{label}</span>
          <span className="soft">{note}</span>
        </label>
      ))}
    </fieldset>
  )
}
