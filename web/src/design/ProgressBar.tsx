/** How far something is, as a bar that screen readers can read too. */
import type { ReactElement } from 'react'

interface Props {
  /** 0 to 1. */
  share: number
  label: string
  tone?: 'calm' | 'good' | 'bad' | undefined
}

export function ProgressBar({ share, label, tone = 'calm' }: Props): ReactElement {
  const percent = Math.round(Math.max(0, Math.min(1, share)) * 100)
  return (
    <div className="progress" data-tone={tone} role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent}>
      <div style={{ width: `${percent}%` }} />
    </div>
  )
}
