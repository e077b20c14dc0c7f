/** A title's pictures: one a kind, replaced by choosing another. The service makes the sizes and formats. */
import { type ReactElement, useRef, useState } from 'react'
import { putArtwork } from '../../api/studio'
import type { CatalogTitle } from '../../api/types'
import { Problem } from '../../design/Problem'
import { useDeed } from '../../design/useDeed'

const KINDS = [['poster', 'Poster', '2:3'], ['backdrop', 'Backdrop', '16:9'], ['logo', 'Logo', 'with a clear ground'], ['still', 'Still', '16:9']] as const

export function ArtworkEditor({ title, took }: { title: CatalogTitle; took: (title: CatalogTitle) => void }): ReactElement {
  const deed = useDeed()
  // A picture that was replaced has its old address.
  const [round, setRound] = useState(0)
  const put = (kind: string, file: File): void => deed.run(() => putArtwork(title.id, kind, file), (kept) => {
    took(kept)
    setRound(round + 1)
  })
  return (
    <section className="box" aria-labelledby="artwork-title">
      <h2 id="artwork-title">Artwork</h2>
      <ul className="pictures">
        {KINDS.map(([kind, words, shape]) => {
          const known = title.artworks.find((each) => each.kind === kind)
          return (
            <li key={kind}>
              <div className="picture-box" data-kind={kind} style={{ background: known?.colour }}>
                {known && <img src={`/api/artwork/${encodeURIComponent(title.id)}/${kind}?w=320&v=${title.revision}.${round}`} alt={`${words} of ${title.name}`} loading="lazy" />}
              </div>
              <p><strong>{words}</strong> <span className="soft">{known ? `${known.width} × ${known.height}` : shape}</span></p>
              <Pick label={`${known ? 'Replace' : 'Choose'} the ${words.toLowerCase()}`} busy={deed.busy} pick={(file) => put(kind, file)} />
            </li>
          )
        })}
      </ul>
      <Problem words={deed.problem} />
    </section>
  )
}

function Pick({ label, busy, pick }: { label: string; busy: boolean; pick: (file: File) => void }): ReactElement {
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      <input ref={input} className="visually-hidden" type="file" tabIndex={-1} aria-label={`${label}: file`} accept="image/jpeg,image/png,image/webp,image/avif" onChange={(event) => {
        const file = event.currentTarget.files?.[0]
        if (file) pick(file)
        event.currentTarget.value = ''
      }} />
      <button type="button" className="button small" disabled={busy} onClick={() => input.current?.click()}>{label}</button>
    </>
  )
}
