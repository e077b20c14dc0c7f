// From the click to the first frame, in fresh browsers, over loopback: prints milliseconds, one line a play.
// `node first-frame.mjs hls|dash PLAYS TITLE`, with the service's address in MATINEE_URL.
import { setTimeout as pause } from 'node:timers/promises'
import { browser, until } from './house.mjs'

const [protocol, plays, title] = process.argv.slice(2)
const address = process.env.MATINEE_URL
if (!address || !['hls', 'dash'].includes(protocol) || !(Number(plays) > 0) || !title)
  throw new Error('usage: MATINEE_URL=http://… node first-frame.mjs hls|dash PLAYS TITLE')

/** Nobody clicks sooner than this after a page has shown its button. */
const READ_MS = 1000

async function play() {
  // A browser of its own, with an empty cache: a viewer's first visit.
  const chromium = await browser()
  try {
    const page = await chromium.newPage()
    await page.setViewport({ width: 1280, height: 800 })
    await page.goto(`${address}/title/${title}?protocol=${protocol}`)
    const button = await page.waitForSelector('.stage button')
    await pause(READ_MS)
    await button.click()
    const seen = await until(
      () => page.evaluate(() => {
        const { startupMs } = window.__matinee ?? {}
        return startupMs != null && { startupMs, encrypted: document.querySelector('video').mediaKeys !== null }
      }),
      20, 'a frame is shown',
    )
    if (!seen.encrypted) throw new Error('the film is not encrypted')
    return seen.startupMs
  } finally {
    await chromium.close()
  }
}

for (let n = 0; n < Number(plays); n += 1) console.log((await play()).toFixed(1))
