/** While a film plays it has the whole window: what is beside it is out of reach, and the page below does not scroll. */
import { useEffect } from 'react'

export function useTheatre(stage: React.RefObject<HTMLDivElement | null>, on: boolean): void {
  useEffect(() => {
    const element = stage.current
    if (!on || !element) return
    const beside: HTMLElement[] = []
    for (let at: HTMLElement = element; at.parentElement && at.id !== 'root'; at = at.parentElement)
      for (const other of at.parentElement.children)
        if (other !== at && other instanceof HTMLElement && !other.inert) beside.push(other)
    for (const each of beside) each.inert = true
    document.documentElement.dataset.theatre = 'on'
    return () => {
      for (const each of beside) each.inert = false
      delete document.documentElement.dataset.theatre
    }
  }, [stage, on])
}
