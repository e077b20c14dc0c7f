/** Arrow keys walk over the page, as a remote control does; its "back" goes back. */
import { useEffect } from 'react'
import { screenKind } from '../api/screen'
import { type Direction, directionOf, isBack, nextIn } from './spatial'

// A choice changes by arrows; only a television, which has nothing else, walks to it.
const REACHABLE = 'a[href], button:not(:disabled), input:not(:disabled), textarea:not(:disabled), summary, [tabindex="0"]'
/** Those have a use of their own for arrows. */
const OWN_ARROWS = 'textarea, [role=menu], [role=slider], [contenteditable=true], input[type=range], input[type=radio], input[type=number], input[type=date], input[type=datetime-local]'

export function useRemote(): void {
  useEffect(() => {
    const television = screenKind() === 'tv'
    document.documentElement.dataset.screen = screenKind()
    const pressed = (event: KeyboardEvent): void => {
      if (event.defaultPrevented) return
      if (isBack(event.key)) {
        event.preventDefault()
        window.history.back()
        return
      }
      const direction = directionOf(event)
      if (!direction || !isOurs(event.target, direction, television)) return
      if (moveFocus(direction, television)) event.preventDefault()
    }
    window.addEventListener('keydown', pressed)
    return () => window.removeEventListener('keydown', pressed)
  }, [])
}

/** Arrows are the browser's own where somebody reads or types, and the player's while it fills the screen. */
function isOurs(target: EventTarget | null, direction: Direction, television: boolean): boolean {
  if (!(target instanceof Element) || target.closest(OWN_ARROWS)) return false
  if (target instanceof HTMLSelectElement && (!television || isOpen(target))) return false
  if (document.querySelector('[data-theatre="true"]')) return false
  const typing = target instanceof HTMLInputElement && !['checkbox', 'button', 'submit'].includes(target.type)
  if (typing && (direction === 'left' || direction === 'right')) return false
  if (television) return true
  return target === document.body ? document.querySelector('main [data-spatial]') !== null : target.closest('[data-spatial]') !== null
}

/** A choice that is open walks along its entries. */
function isOpen(select: HTMLSelectElement): boolean {
  try {
    return select.matches(':open')
  } catch {
    // A browser that does not know the word: its arrows stay its own.
    return true
  }
}

function moveFocus(direction: Direction, television: boolean): boolean {
  const scope = document.querySelector('dialog[open]') ?? document.body
  const reachable = [...scope.querySelectorAll<HTMLElement>(television ? `${REACHABLE}, select:not(:disabled)` : REACHABLE)].filter((element) => element.tabIndex >= 0 && element.checkVisibility({ visibilityProperty: true }))
  const current = document.activeElement
  if (!(current instanceof HTMLElement) || current === document.body) {
    const first = reachable.find((element) => element.closest('main')) ?? reachable[0]
    if (first) show(first)
    return first !== undefined
  }
  const others = reachable.filter((element) => element !== current && !element.contains(current))
  const found = nextIn(current.getBoundingClientRect(), others.map((element) => element.getBoundingClientRect()), direction)
  const next = found === null ? undefined : others[found]
  if (next) show(next)
  return next !== undefined
}

function show(element: HTMLElement): void {
  element.focus({ preventScroll: true })
  const calm = window.matchMedia('(prefers-reduced-motion: reduce)').matches
  element.scrollIntoView({ block: element.closest('header') ? 'nearest' : 'center', inline: 'nearest', behavior: calm ? 'instant' : 'smooth' })
}
