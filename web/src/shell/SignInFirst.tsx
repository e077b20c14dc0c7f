/** The way in, for a page that is somebody's own. */
import type { ReactElement } from 'react'
import { Notice } from '../design/Notice'
import { Link, usePath } from '../router'

export function SignInFirst({ why }: { why: string }): ReactElement {
  const next = encodeURIComponent(usePath())
  return (
    <main id="content" className="page">
      <Notice title={`Sign in to ${why}`}>
        <Link className="button primary" href={`/sign-in?next=${next}`}>Sign in</Link> <Link className="button" href="/sign-up">Create an account</Link>
      </Notice>
    </main>
  )
}
