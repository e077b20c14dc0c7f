/** One part of the account, with its heading. */
import type { ReactElement, ReactNode } from 'react'

export function Section({ id, title, children }: { id: string; title: string; children: ReactNode }): ReactElement {
  return (
    <section className="account-section" id={id} aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}</h2>
      <div className="account-body">{children}</div>
    </section>
  )
}
