/** A title's picture in the size that is shown, its colour until it is there, its name where there is none. */
import { type CSSProperties, type ReactElement, useState } from 'react'
import type { CardArtwork } from '../api/types'

const WIDTHS = { poster: [240, 480, 720], backdrop: [320, 640, 960, 1280, 1920, 3840] }

/** Addresses for every width that the service makes; nothing for a picture that has one size. */
function sources(address: string): string | undefined {
  if (!address.startsWith('/api/artwork/')) return undefined
  const [path = '', query = ''] = address.split('?')
  const at = (width: number): string => {
    const parameters = new URLSearchParams(query)
    parameters.set('w', String(width))
    return `${path}?${parameters.toString()} ${width}w`
  }
  return WIDTHS[path.endsWith('/poster') ? 'poster' : 'backdrop'].map(at).join(', ')
}

interface Props {
  artwork: CardArtwork | null | undefined
  kind: 'poster' | 'backdrop'
  name: string
  /** How wide it is shown, for the browser to choose by. */
  sizes: string
  eager?: boolean
}

export function Artwork({ artwork, kind, name, sizes, eager = false }: Props): ReactElement {
  const [broken, setBroken] = useState('')
  // A screen may have but one of the two; cut to shape it is better than none.
  const address = artwork?.[kind] ?? (kind === 'poster' ? artwork?.backdrop : artwork?.poster)
  const style = { '--colour': artwork?.colour ?? undefined } as CSSProperties
  // The letter is a picture, not a word: it comes from the style sheet.
  if (!address || broken === address) return <div className="artwork artwork-none" data-kind={kind} data-letter={name} style={style} />
  return (
    <img
      className="artwork"
      data-kind={kind}
      style={style}
      src={address}
      srcSet={sources(address)}
      sizes={sizes}
      alt=""
      loading={eager ? 'eager' : 'lazy'}
      fetchPriority={eager ? 'high' : 'auto'}
      decoding="async"
      draggable={false}
      onError={() => setBroken(address)}
    />
  )
}
