/** The frame of the pages at the door: one thing to do, in the middle. */
import { type ReactElement, type ReactNode, useEffect } from 'react'

export function Entrance({ title, lead, children, wide = false }: { title: string; lead?: ReactNode; children: ReactNode; wide?: boolean }): ReactElement {
  useEffect(() => {
    document.title = `${title} – Matinee`
  }, [title])
  return (
    <main id="content" className="entrance" data-wide={wide}>
      <h1>{title}</h1>
      {lead && <p className="lead">{lead}</p>}
      {children}
    </main>
  )
}
