// A film goes on where it stopped, after a reload and after a killed service; it can be taken out of the history.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { accessible } from './axe.mjs'
import { House, browser, until } from './house.mjs'

const SECONDS = 60

let house
let chromium

before(async () => {
  house = await House.open()
  house.add('film', house.film(SECONDS, '426x240'))
  chromium = await browser()
}, { timeout: 300_000 })

after(async () => {
  await chromium?.close()
  await house?.close()
})

const at = (page) => page.evaluate(() => document.querySelector('video')?.currentTime ?? 0)
const PLAY = 'button[aria-label="Play A test film"]'

async function opened(context, path) {
  const page = await context.newPage()
  await page.setBypassCSP(true)
  await page.setViewport({ width: 1280, height: 800 })
  await page.goto(`${house.address}${path}`)
  return page
}

test('a film goes on where it stopped, for this viewer alone', { timeout: 120_000 }, async () => {
  const viewer = await chromium.createBrowserContext()
  const first = await opened(viewer, '/title/film')
  await (await first.waitForSelector(PLAY)).click()
  await until(async () => (await at(first)) > 0.5, 20, 'it plays')
  await first.keyboard.press('5')
  await until(async () => (await at(first)) > SECONDS / 2 + 2, 20, 'it plays on from the middle')
  const stopped = await at(first)
  await first.close()

  // What was acknowledged outlives the service.
  await house.kill()
  await house.start()
  const home = await opened(viewer, '/')
  await home.waitForFunction(() => document.body.textContent.includes('Continue watching'))
  await accessible(home, 'the films with what was begun')
  await home.close()
  const again = await opened(viewer, '/title/film')
  await again.waitForFunction(() => document.body.textContent.includes('Goes on at 0:3'))
  await accessible(again, 'a title that was begun')
  await (await again.waitForSelector(PLAY)).click()
  const resumed = await until(() => at(again), 20, 'it plays again')
  assert.ok(Math.abs(resumed - stopped) < 10, `it stopped at ${stopped} s and went on at ${resumed} s`)
  await again.close()

  const other = await chromium.createBrowserContext()
  const stranger = await opened(other, '/title/film')
  await (await stranger.waitForSelector(PLAY)).click()
  const start = await until(() => at(stranger), 20, 'it plays for another')
  assert.ok(start < 5, `another viewer starts at ${start} s`)
  await other.close()

  const last = await opened(viewer, '/')
  await (await last.waitForSelector('button[aria-label="Remove A test film"]')).click()
  await last.waitForFunction(() => !document.body.textContent.includes('Continue watching'))
  await last.reload()
  await last.waitForSelector('a[href="/title/film"]')
  await until(async () => (await fetchHistory(last)).length === 0, 10, 'it is out of the history')
  await viewer.close()
})

const fetchHistory = (page) => page.evaluate(() => fetch('/api/history').then((answer) => answer.json()))

test('heartbeats of other pages and malformed ones are refused', async () => {
  const post = (body, headers = {}) => fetch(`${house.address}/api/heartbeats`, {
    method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body),
  })
  const beat = { title: 'film', session: 's', sequence: 1, positionSeconds: 1, durationSeconds: 60, at: 1000, state: 'playing' }
  assert.equal((await post({ sentAt: 1000, beats: [beat] })).status, 204)
  assert.equal((await post({ sentAt: 1000, beats: [beat] }, { 'sec-fetch-site': 'cross-site' })).status, 403)
  for (const [changed, field] of [[{ title: '../x' }, 'beats[0].title'], [{ state: 'asleep' }, 'asleep'], [{ positionSeconds: 1e300 }, 'beats[0].position_us']]) {
    const answer = await post({ sentAt: 1000, beats: [{ ...beat, ...changed }] })
    assert.equal(answer.status, 400)
    assert.match((await answer.json()).detail, new RegExp(field.replace(/[[\]]/g, '\\$&')))
  }
})
