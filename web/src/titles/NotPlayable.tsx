/** The picture of a title that can't be watched, with why, and the way out. */
import type { ReactElement } from 'react'
import type { TitlePage } from '../api/types'
import { Artwork } from '../design/Artwork'
import { Link } from '../router'
import { refusalFor } from '../words/refusals'
import { sentence } from '../api/ask'

export function NotPlayable({ title }: { title: TitlePage }): ReactElement {
  const { what, advice, way } = refusalFor(title.notPlayable?.code ?? '', sentence(title.notPlayable?.message ?? ''))
  const href = way?.href === '/sign-in' ? `/sign-in?next=${encodeURIComponent(window.location.pathname)}` : way?.href
  return (
    <div className="head">
      <Artwork artwork={title.artwork} kind="backdrop" name={title.name} sizes="100vw" eager />
      <div className="head-refusal" role="status" data-spatial>
        <p className="refusal-what">{what}</p>
        <p>{advice}</p>
        {way && href && <p><Link href={href} className="button bright large">{way.label}</Link></p>}
      </div>
    </div>
  )
}
