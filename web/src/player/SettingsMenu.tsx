/** The menu of choices: quality, sound, captions, speed and protocol, each a group of radio items. */
import { type KeyboardEvent, type ReactElement, useEffect, useRef } from 'react'
import { SPEEDS } from './keys'
import type { Playback } from './playback'
import type { PlaybackState } from './playbackState'
import type { Protocol } from './settings'

interface Item {
  key: string
  label: string
  note?: string
  checked: boolean
  choose: () => void
}
interface Group {
  name: string
  items: Item[]
}

interface Props {
  playback: Playback
  state: PlaybackState
  setProtocol: (protocol: Protocol) => void
  close: () => void
}

export function SettingsMenu({ playback, state, setProtocol, close }: Props): ReactElement {
  const menu = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const first = menu.current?.querySelector<HTMLElement>('[aria-checked="true"]') ?? menu.current?.querySelector('button')
    first?.focus()
  }, [])

  const onKeyDown = (event: KeyboardEvent) => {
    const items = [...(menu.current?.querySelectorAll('button') ?? [])]
    const at = items.indexOf(document.activeElement as HTMLButtonElement)
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key]
    if (event.key === 'Escape') close()
    else if (to !== undefined) items[(to + items.length) % items.length]?.focus()
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  return (
    <div className="menu" role="menu" aria-label="Settings" ref={menu} onKeyDown={onKeyDown} tabIndex={-1}>
      {groups(playback, state, setProtocol).map(({ name, items }) => (
        <div key={name} role="group" aria-label={name} className="menu-group">
          <div className="menu-name" aria-hidden="true">{name}</div>
          {items.map((item) => (
            <button key={item.key} type="button" role="menuitemradio" aria-checked={item.checked} className="menu-item" onClick={item.choose}>
              <span>{item.label}</span>
              {item.note && <span className="menu-note">{item.note}</span>}
            </button>
          ))}
        </div>
      ))}
    </div>
  )
}

function groups(playback: Playback, state: PlaybackState, setProtocol: (protocol: Protocol) => void): Group[] {
  const showing = state.video.find((choice) => choice.active)
  const quality: Item[] = [
    {
      key: 'auto',
      label: 'Automatic',
      note: state.automatic && showing ? `now ${showing.label}` : '',
      checked: state.automatic,
      choose: () => playback.chooseAutomatic(),
    },
    ...state.video.map((choice) => ({
      key: choice.key,
      label: choice.label,
      note: choice.note,
      checked: !state.automatic && choice.active,
      choose: () => playback.chooseVideo(choice.track),
    })),
  ]
  const captions: Item[] = [
    { key: 'off', label: 'Off', checked: !state.text.some((choice) => choice.active), choose: () => playback.chooseText(null) },
    ...state.text.map((choice) => ({
      key: choice.key,
      label: choice.label,
      note: choice.note,
      checked: choice.active,
      choose: () => playback.chooseText(choice.track),
    })),
  ]
  const sound: Item[] = state.audio.map((choice) => ({
    key: choice.key,
    label: choice.label,
    note: choice.note,
    checked: choice.active,
    choose: () => playback.chooseAudio(choice.track),
  }))
  const speed: Item[] = SPEEDS.map((rate) => ({
    key: String(rate),
    label: rate === 1 ? 'Normal' : `${rate}×`,
    checked: Math.abs(state.rate - rate) < 1e-3,
    choose: () => playback.setRate(rate),
  }))
  const protocol: Item[] = (['hls', 'dash'] as const).map((name) => ({
    key: name,
    label: name.toUpperCase(),
    checked: state.protocol === name,
    choose: () => setProtocol(name),
  }))
  return [
    { name: 'Quality', items: quality },
    { name: 'Captions', items: captions },
    { name: 'Sound', items: sound },
    { name: 'Speed', items: speed },
    { name: 'Protocol', items: protocol },
  ].filter((group) => group.items.length > 0)
}
