/** What the page's address says of playing; for measuring, and for whoever knows. */
import type { Protocol } from './settings'

export function protocolInAddress(): Protocol {
  // HLS begins sooner: its playlists are smaller than the one description of DASH.
  return new URLSearchParams(window.location.search).get('protocol') === 'dash' ? 'dash' : 'hls'
}

/** Whether to fetch ahead; `?warm=off` measures a click without. */
export const mayWarm = (): boolean => new URLSearchParams(window.location.search).get('warm') !== 'off'
