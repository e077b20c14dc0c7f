/** A labelled field of a form, with a hint, and why it was refused. */
import { type InputHTMLAttributes, type ReactElement, type ReactNode, type SelectHTMLAttributes, type TextareaHTMLAttributes, useId } from 'react'

interface Words {
  label: string
  hint?: ReactNode
  /** Why what was typed is refused; empty where it is not. */
  wrong?: string
}

function Around({ id, label, hint, wrong = '', children }: Words & { id: string; children: ReactNode }): ReactElement {
  return (
    <div className="field" data-wrong={wrong !== ''}>
      <label htmlFor={id}>{label}</label>
      {children}
      {hint && <p id={`${id}-hint`} className="field-hint">{hint}</p>}
      <p id={`${id}-wrong`} className="field-wrong" role="alert">{wrong}</p>
    </div>
  )
}

const described = (id: string, hint: ReactNode, wrong: string | undefined): Record<string, string | boolean> => ({
  'aria-describedby': [hint ? `${id}-hint` : '', wrong ? `${id}-wrong` : ''].filter(Boolean).join(' '),
  'aria-invalid': Boolean(wrong),
})

export function Field({ label, hint, wrong, ...rest }: Words & InputHTMLAttributes<HTMLInputElement>): ReactElement {
  const id = useId()
  return <Around id={id} label={label} hint={hint} wrong={wrong ?? ''}><input id={id} {...described(id, hint, wrong)} {...rest} /></Around>
}

export function TextField({ label, hint, wrong, ...rest }: Words & TextareaHTMLAttributes<HTMLTextAreaElement>): ReactElement {
  const id = useId()
  return <Around id={id} label={label} hint={hint} wrong={wrong ?? ''}><textarea id={id} {...described(id, hint, wrong)} {...rest} /></Around>
}

export function Choice({ label, hint, wrong, children, ...rest }: Words & SelectHTMLAttributes<HTMLSelectElement>): ReactElement {
  const id = useId()
  return <Around id={id} label={label} hint={hint} wrong={wrong ?? ''}><select id={id} {...described(id, hint, wrong)} {...rest}>{children}</select></Around>
}

export function Switch({ label, hint, ...rest }: { label: string; hint?: ReactNode } & InputHTMLAttributes<HTMLInputElement>): ReactElement {
  const id = useId()
  return (
    <div className="switch">
      <input type="checkbox" role="switch" id={id} aria-describedby={hint ? `${id}-hint` : undefined} {...rest} />
      <label htmlFor={id}>{label}</label>
      {hint && <p id={`${id}-hint`} className="field-hint">{hint}</p>}
    </div>
  )
}
