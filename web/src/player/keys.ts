/** The keyboard: which key does what in the player. */

export type KeyAction =
  | { do: 'toggle' | 'mute' | 'captions' | 'fullscreen' | 'help' | 'stats' | 'slower' | 'faster' | 'close' | 'controls' | 'leave' }
  | { do: 'seekBy'; seconds: number }
  | { do: 'seekToShare'; share: number }
  | { do: 'volumeBy'; step: number }
  | { do: 'frame'; direction: 1 | -1 }

interface Pressed {
  key: string
  ctrlKey: boolean
  metaKey: boolean
  altKey: boolean
}

/** The keys, as the help shows them. */
export const KEY_HELP: readonly (readonly [keys: string, meaning: string])[] = [
  ['Space, K', 'Play or pause'],
  ['← →', 'Back or forward 5 seconds'],
  ['J, L', 'Back or forward 10 seconds'],
  ['↑ ↓', 'Louder or quieter'],
  ['M', 'Mute'],
  ['C', 'Captions on or off'],
  ['F', 'Full screen'],
  ['<, >', 'Slower or faster'],
  ['0 – 9', 'Go to that tenth of the film'],
  ['Home, End', 'Start or end'],
  [', and .', 'Frame by frame, while paused'],
  ['I', 'Statistics'],
  ['Enter', 'To the controls'],
  ['Esc', 'Leave the film'],
  ['?', 'These keys'],
]

/** What a key does; nothing for a key that is the browser's (with Ctrl, Alt or the system's key) or has no meaning here. */
export function actionFor({ key, ctrlKey, metaKey, altKey }: Pressed): KeyAction | null {
  if (ctrlKey || metaKey || altKey) return null
  if (/^[0-9]$/.test(key)) return { do: 'seekToShare', share: Number(key) / 10 }
  switch (key.length === 1 ? key.toLowerCase() : key) {
    case ' ':
    case 'k':
    case 'MediaPlayPause':
    case 'MediaPlay':
    case 'MediaPause':
      return { do: 'toggle' }
    // A remote control's middle button: from there its arrows walk along the controls.
    case 'Enter':
      return { do: 'controls' }
    case 'GoBack':
    case 'BrowserBack':
    case 'XF86Back':
      return { do: 'leave' }
    case 'MediaRewind':
      return { do: 'seekBy', seconds: -10 }
    case 'MediaFastForward':
      return { do: 'seekBy', seconds: 10 }
    case 'ArrowLeft':
      return { do: 'seekBy', seconds: -5 }
    case 'ArrowRight':
      return { do: 'seekBy', seconds: 5 }
    case 'j':
      return { do: 'seekBy', seconds: -10 }
    case 'l':
      return { do: 'seekBy', seconds: 10 }
    case 'Home':
      return { do: 'seekToShare', share: 0 }
    case 'End':
      return { do: 'seekToShare', share: 1 }
    case 'ArrowUp':
      return { do: 'volumeBy', step: 0.05 }
    case 'ArrowDown':
      return { do: 'volumeBy', step: -0.05 }
    case 'm':
      return { do: 'mute' }
    case 'c':
      return { do: 'captions' }
    case 'f':
      return { do: 'fullscreen' }
    case 'i':
      return { do: 'stats' }
    case '?':
      return { do: 'help' }
    case '<':
      return { do: 'slower' }
    case '>':
      return { do: 'faster' }
    case ',':
      return { do: 'frame', direction: -1 }
    case '.':
      return { do: 'frame', direction: 1 }
    case 'Escape':
      return { do: 'close' }
    default:
      return null
  }
}

export const SPEEDS = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2] as const

/** The next speed up or down from `rate`; itself at either end. */
export function nextSpeed(rate: number, direction: 1 | -1): number {
  const ordered = direction === 1 ? SPEEDS : SPEEDS.toReversed()
  return ordered.find((speed) => (speed - rate) * direction > 1e-3) ?? rate
}
