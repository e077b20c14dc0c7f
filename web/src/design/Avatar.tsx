/** The picture by which a profile is told from others: a colour, a shape, a letter. */
import type { ReactElement } from 'react'

/** By name, as the service keeps them. */
export const AVATARS = ['amber', 'coral', 'sea', 'moss', 'violet', 'slate', 'rose', 'sky'] as const

const COLOURS: Record<string, [string, string]> = {
  amber: ['#e8b04a', '#a8591d'], coral: ['#ff8a70', '#a83250'], sea: ['#4cc3c7', '#1c4f8f'], moss: ['#9ccf5a', '#2f6b45'],
  violet: ['#b493ff', '#53329e'], slate: ['#aab4c8', '#3f4a63'], rose: ['#ff9ec7', '#8f2d6c'], sky: ['#7fb8ff', '#2b49a8'],
}

export function Avatar({ avatar, name }: { avatar: string; name: string }): ReactElement {
  const [light, dark] = COLOURS[avatar] ?? COLOURS.amber ?? ['#e8b04a', '#a8591d']
  return <span className="avatar" style={{ background: `linear-gradient(145deg, ${light}, ${dark})` }} data-letter={name.trim().charAt(0).toLocaleUpperCase()} aria-hidden="true" />
}
