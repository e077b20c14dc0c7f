/** A word instead of content: nothing there yet, or it could not be had. */
import type { ReactElement, ReactNode } from 'react'

export function Notice({ title, children, again }: { title: string; children?: ReactNode; again?: () => void }): ReactElement {
  return (
    <div className="notice" role={again ? 'alert' : undefined}>
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {again && <button type="button" className="button" onClick={again}>Try again</button>}
    </div>
  )
}
