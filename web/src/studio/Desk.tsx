/** The frame of a studio's page: its heading, what can be done, and a table that scrolls in its own window. */
import { type ReactElement, type ReactNode, useEffect } from 'react'
import type { Answer } from '../api/useAnswer'
import { Notice } from '../design/Notice'
import { Link } from '../router'

interface DeskProps {
  title: string
  /** Above the heading, where this page is one of many. */
  crumb?: { href: string; words: string }
  deeds?: ReactNode
  children: ReactNode
}

export function Desk({ title, crumb, deeds, children }: DeskProps): ReactElement {
  useEffect(() => {
    document.title = `${title} – Studio – Matinee`
  }, [title])
  return (
    <main id="content" className="page desk">
      {crumb && <p className="crumb"><Link href={crumb.href}>{crumb.words}</Link></p>}
      <header className="desk-head">
        <h1>{title}</h1>
        {deeds && <div className="row">{deeds}</div>}
      </header>
      {children}
    </main>
  )
}

export function TableWindow({ label, children }: { label: string; children: ReactNode }): ReactElement {
  return <div className="table-window" role="region" aria-label={label} tabIndex={0}><table className="table">{children}</table></div>
}

/** What was asked for: waited for, refused with its reason, or shown. */
export function Asked<T>({ answer, again, what, children }: { answer: Answer<T>; again: () => void; what: string; children: (value: T) => ReactNode }): ReactElement {
  if (answer.state === 'waiting') return <div className="desk-waiting skeleton" role="status" aria-label={`Asking for ${what}`} />
  if (answer.state === 'failed') return <Notice title={`Can’t show ${what}`} again={again}>{answer.reason}</Notice>
  return <>{children(answer.value)}</>
}
