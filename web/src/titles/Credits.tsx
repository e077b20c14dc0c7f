/** Who made it, and under which licence it may be shown. */
import type { ReactElement } from 'react'

export function Credits({ credits, license }: { credits: string; license: string }): ReactElement | null {
  if (credits === '' && license === '') return null
  return (
    <p className="credits">
      {credits}
      {credits !== '' && license !== '' && <span aria-hidden="true"> · </span>}
      {license !== '' && <span className="licence">{license}</span>}
    </p>
  )
}
