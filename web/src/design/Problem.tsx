/** Why something was refused, told at once. */
import type { ReactElement } from 'react'

export function Problem({ words }: { words: string }): ReactElement {
  return <div role="alert">{words !== '' && <p className="problem-box">{words}</p>}</div>
}

/** That something is done. */
export function Done({ words }: { words: string }): ReactElement {
  return <div role="status">{words !== '' && <p className="done-box">{words}</p>}</div>
}
