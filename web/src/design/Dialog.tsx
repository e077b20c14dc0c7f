/** A question or a form over the page: modal, closed by Escape, focus kept inside and given back by the browser. */
import { type ReactElement, type ReactNode, useEffect, useId, useRef } from 'react'
import { Icon } from './icons'

export function Dialog({ title, close, children }: { title: string; close: () => void; children: ReactNode }): ReactElement {
  const dialog = useRef<HTMLDialogElement>(null)
  const heading = useId()
  useEffect(() => {
    const element = dialog.current
    if (element && !element.open) {
      element.showModal()
      // What is to be filled in or chosen comes first, not the way out.
      element.querySelector<HTMLElement>('input, select, textarea, .form-deeds button')?.focus()
    }
    return () => element?.close()
  }, [])
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby={heading} onCancel={(event) => { event.preventDefault(); close() }}>
      <header>
        <h2 id={heading}>{title}</h2>
        <button type="button" className="icon-plain" aria-label="Close" onClick={close}><Icon name="close" /></button>
      </header>
      {children}
    </dialog>
  )
}
