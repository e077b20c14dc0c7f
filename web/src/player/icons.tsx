/** The controls' pictures; each is decoration, the button that holds it has the words. */
import type { ReactElement } from 'react'

const PATHS = {
  play: 'M8 5.2v13.6a1 1 0 0 0 1.53.85l10.6-6.8a1 1 0 0 0 0-1.7L9.53 4.35A1 1 0 0 0 8 5.2z',
  pause: 'M7 4.5h3.2v15H7zM13.8 4.5H17v15h-3.2z',
  replay: 'M12 5V1.8L6.8 6.4 12 11V7.6a5.2 5.2 0 1 1-5.2 5.2H4.2A7.8 7.8 0 1 0 12 5z',
  loud: 'M4 9v6h3.8L13 19.2V4.8L7.8 9zM15.6 8.1v7.8a4.4 4.4 0 0 0 0-7.8zM15.6 4.2v2.2a6 6 0 0 1 0 11.2v2.2a8 8 0 0 0 0-15.6z',
  mute: 'M4 9v6h3.8L13 19.2V4.8L7.8 9zM21 9.6 19.4 8 17.2 10.4 15 8l-1.5 1.6 2.2 2.4-2.2 2.4L15 16l2.2-2.4 2.2 2.4 1.6-1.6-2.2-2.4z',
  captions: 'M4 5h16a1.5 1.5 0 0 1 1.5 1.5v11A1.5 1.5 0 0 1 20 19H4a1.5 1.5 0 0 1-1.5-1.5v-11A1.5 1.5 0 0 1 4 5zm2.2 5.2v3.6c0 .6.4 1 1 1h3.2V13H8v-2h2.4V9.2H7.2c-.6 0-1 .4-1 1zm7.4 0v3.6c0 .6.4 1 1 1h3.2V13h-2.4v-2h2.4V9.2h-3.2c-.6 0-1 .4-1 1z',
  settings: 'M10.3 2.8h3.4l.5 2.6 1.8.8 2.2-1.5 2.4 2.4-1.5 2.2.8 1.8 2.6.5v3.4l-2.6.5-.8 1.8 1.5 2.2-2.4 2.4-2.2-1.5-1.8.8-.5 2.6h-3.4l-.5-2.6-1.8-.8-2.2 1.5-2.4-2.4 1.5-2.2-.8-1.8-2.6-.5v-3.4l2.6-.5.8-1.8-1.5-2.2 2.4-2.4L8 6.2l1.8-.8zM12 8.8a3.7 3.7 0 1 0 0 7.4 3.7 3.7 0 0 0 0-7.4z',
  help: 'M12 2.5a9.5 9.5 0 1 0 0 19 9.5 9.5 0 0 0 0-19zm-1.1 14.8h2.2v-2.2h-2.2zM12 6.2c-2.2 0-3.8 1.4-3.8 3.4h2.1c0-.9.7-1.6 1.7-1.6s1.7.6 1.7 1.5c0 1.6-2.8 1.7-2.8 4.3H13c0-1.7 2.9-2.1 2.9-4.4 0-1.9-1.6-3.2-3.9-3.2z',
  fullscreen: 'M4 4h6v2.2H6.2V10H4zM14 4h6v6h-2.2V6.2H14zM4 14h2.2v3.8H10V20H4zM17.8 14H20v6h-6v-2.2h3.8z',
  windowed: 'M7.8 4H10v6H4V7.8h3.8zM14 4h2.2v3.8H20V10h-6zM4 14h6v6H7.8v-3.8H4zM14 14h6v2.2h-3.8V20H14z',
  close: 'M5.6 4.2 12 10.6l6.4-6.4 1.4 1.4-6.4 6.4 6.4 6.4-1.4 1.4-6.4-6.4-6.4 6.4-1.4-1.4 6.4-6.4-6.4-6.4z',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name }: { name: IconName }): ReactElement {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} fillRule="evenodd" />
    </svg>
  )
}
