// The studio, as an operator uses it: a film comes in over a page and a server that die on the way, its workflow is
// watched live, what failed is told and run again.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { accessible } from './axe.mjs'
import { House, browser, ffmpeg, until } from './house.mjs'

let house
let chromium
let flag

before(async () => {
  house = await House.open()
  // An ffmpeg whose encoder breaks as long as a file is there.
  flag = join(house.folder, 'broken')
  const program = join(house.folder, 'ffmpeg')
  writeFileSync(program, `#!/bin/sh
case "$*" in *libx264*) if [ -e '${flag}' ]; then echo 'the encoder is broken today' >&2; exit 1; fi;; esac
exec '${ffmpeg}' "$@"
`)
  chmodSync(program, 0o755)
  await house.kill()
  house.environment.MATINEE_FFMPEG = program
  await house.start()
  chromium = await browser()
}, { timeout: 60_000 })

after(async () => {
  await chromium?.close()
  await house?.close()
})

async function opened(path) {
  const page = await chromium.newPage()
  await page.setBypassCSP(true)
  await page.setViewport({ width: 1280, height: 900 })
  await page.goto(`${house.address}${path}`)
  return page
}

const shows = (page, words, seconds = 20) =>
  until(() => page.evaluate((words) => document.body.textContent.includes(words), words), seconds, `“${words}” is shown`)

const press = (page, words) => page.evaluate((words) => {
  const found = [...document.querySelectorAll('button, a')].find((each) => (each.getAttribute('aria-label') ?? each.textContent).trim() === words)
  if (!found) throw new Error(`there is no ${words}`)
  found.click()
}, words)

/** Chooses files in the form, names the film and begins. */
async function upload(page, files, title) {
  const input = await page.waitForSelector('#upload-files')
  await input.uploadFile(...files)
  await shows(page, 'master')
  await page.evaluate((title) => {
    const field = document.querySelector('.fields input')
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(field, title)
    field.dispatchEvent(new Event('input', { bubbles: true }))
  }, title)
  await press(page, 'Upload')
}

async function slow(page, bytesPerSecond) {
  const network = await page.createCDPSession()
  await network.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: bytesPerSecond })
}

const sent = (page) => page.evaluate(() => Number(document.querySelector('.coming [role="progressbar"]')?.getAttribute('aria-valuenow') ?? 0))

test('a film comes in over a server and a page that die, and plays', { timeout: 240_000 }, async () => {
  const { film, subtitles: plain } = house.film(30, '1280x720')
  // The language stands in the name.
  const subtitles = join(house.folder, 'film.en.srt')
  copyFileSync(plain, subtitles)
  const bytes = readFileSync(film)
  const first = await opened('/studio')
  await slow(first, bytes.length / 15)
  await upload(first, [film, subtitles], 'From the studio')
  await shows(first, 'Sending')
  await until(async () => (await sent(first)) > 0, 20, 'progress is shown')
  await accessible(first, 'the studio while a film comes in')
  await house.kill()
  await shows(first, 'Waiting for the service')
  await house.start()
  await shows(first, 'Sending')
  const unfinished = () => fetch(`${house.address}/api/studio/uploads`).then((answer) => answer.json()).then((all) => all.find((each) => !each.finished))
  const kept = await until(async () => {
    const each = await unfinished()
    return each?.offset > 0 && each
  }, 30, 'some of it is safe')
  // The page goes, as with a closed lid.
  await first.close()
  const page = await opened('/studio')
  await shows(page, 'Interrupted')
  const again = await page.waitForSelector('input[aria-label^="The same file as before"]')
  await again.uploadFile(film, ...((await again.evaluate((input) => input.multiple)) ? [subtitles] : []))
  await shows(page, 'Watch its workflow', 60)
  const stored = readFileSync(join(house.folder, 'data/objects/masters', kept.id))
  const sum = (data) => createHash('sha256').update(data).digest('hex')
  assert.equal(sum(stored), sum(bytes), 'byte for byte')

  await press(page, 'Watch its workflow')
  await page.waitForSelector('.workflow-head')
  // Live: tasks are seen while they run, without the page being asked again.
  const states = await until(() => page.evaluate(() => {
    window.states = { ...window.states }
    for (const node of document.querySelectorAll('.graph [data-state]')) window.states[node.dataset.state] = true
    return window.states.running && window.states.done && window.states
  }), 60, 'tasks are seen running and done')
  assert.ok(states.running && states.done)
  await shows(page, 'Play the film', 120)
  await shows(page, 'The master')
  await shows(page, '1280 × 720')
  await accessible(page, 'a workflow that is done')
  await press(page, 'Play the film')
  await page.waitForSelector('button[aria-label="Play From the studio"]')
  await page.click('button[aria-label="Play From the studio"]')
  await until(() => page.evaluate(() => document.querySelector('video')?.currentTime > 0.5), 20, 'it plays')
  await page.close()
})

test('a refused master is told with what is wrong', { timeout: 60_000 }, async () => {
  const letter = join(house.folder, 'letter.mp4')
  writeFileSync(letter, 'This is a letter, not a film.\n'.repeat(50))
  const page = await opened('/studio')
  await upload(page, [letter], 'A letter')
  await shows(page, 'Watch its workflow')
  await press(page, 'Watch its workflow')
  await shows(page, 'What failed')
  await shows(page, 'letter.mp4 is text, not a film')
  await accessible(page, 'a workflow that failed')
  await page.close()
})

test('what failed is told, and run again by a button', { timeout: 180_000 }, async () => {
  writeFileSync(flag, '')
  const { film } = house.film(5, '426x240')
  const page = await opened('/studio')
  await upload(page, [film], 'Tried again')
  await shows(page, 'Watch its workflow')
  await press(page, 'Watch its workflow')
  await shows(page, 'What failed', 90)
  await shows(page, 'the encoder is broken today')
  rmSync(flag)
  await press(page, 'Retry all that failed')
  await shows(page, 'Play the film', 90)
  assert.equal(await page.evaluate(() => document.body.textContent.includes('What failed')), false)
  await page.close()
})

test('the pages of the studio fit a phone', { timeout: 60_000 }, async () => {
  const page = await opened('/studio')
  await page.setViewport({ width: 390, height: 844 })
  for (const path of ['/studio', '/studio/titles/from-the-studio/inspection']) {
    await page.goto(`${house.address}${path}`)
    await page.waitForSelector('main h1')
    await accessible(page, `${path} on a phone`)
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    assert.equal(wider, 0, `${path} scrolls sideways`)
  }
  await page.close()
})
