/** The last line of every page. */
import type { ReactElement } from 'react'

export function Footer(): ReactElement {
  return (
    <footer className="foot">
      Matinee is free software under the Apache License 2.0. <a href="/licences.txt">Licences of what it contains</a>
    </footer>
  )
}
