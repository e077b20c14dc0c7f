// A film that was taken in plays in a browser, encrypted, by HLS and by DASH, and switches its quality both ways.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { House, browser, stranger, until } from './house.mjs'

let house
let chromium

before(async () => {
  house = await House.open()
  house.add('film', house.film(120, '854x480'))
  chromium = await browser()
}, { timeout: 400_000 })

after(async () => {
  await chromium?.close()
  await house?.close()
})

async function opened(protocol) {
  const page = await stranger(chromium)
  const failures = []
  page.on('pageerror', (error) => failures.push(String(error)))
  await page.setViewport({ width: 1280, height: 800 })
  await page.goto(`${house.address}/title/film?protocol=${protocol}`)
  await page.waitForSelector('button[aria-label="Play A test film"]')
  return { page, failures }
}

/** What the video element and the player say. */
const seen = (page) =>
  page.evaluate(() => {
    const video = document.querySelector('video')
    const { player, stalls } = window.__matinee
    const active = player.getVariantTracks().find((track) => track.active)
    const { decodedFrames, width } = { decodedFrames: video.getVideoPlaybackQuality().totalVideoFrames, width: video.videoWidth }
    return { at: video.currentTime, decodedFrames, width, stalls, height: active?.height, keys: video.mediaKeys !== null }
  })

for (const protocol of ['hls', 'dash']) {
  test(`an encrypted film plays by ${protocol} and its quality goes down and up without a stall`, { timeout: 180_000 }, async () => {
    const { page, failures } = await opened(protocol)
    // Little is kept ahead, and choices may follow each other soon, so that the network is felt within the test's time.
    await until(() => page.evaluate(() => window.__matinee !== undefined), 10, 'the player is there')
    await page.evaluate(() => {
      window.__matinee.player.configure({ streaming: { bufferingGoal: 6 }, abr: { switchInterval: 2 } })
    })
    await page.click('button[aria-label="Play A test film"]')
    const first = await until(async () => {
      const now = await seen(page)
      return now.at > 1 && now
    }, 20, 'a second was played')
    assert.ok(first.keys, 'the film is encrypted')
    assert.ok(first.decodedFrames > 12, `only ${first.decodedFrames} frames were decoded`)
    const network = await page.createCDPSession()
    const throttle = (kbps) => network.send('Network.emulateNetworkConditions', {
      offline: false, latency: 20, downloadThroughput: (kbps * 1000) / 8, uploadThroughput: (kbps * 1000) / 8,
    })
    await until(async () => (await seen(page)).height >= 360, 40, 'a large picture is chosen')
    await throttle(700)
    const low = await until(async () => {
      const now = await seen(page)
      return now.height < 360 && now
    }, 40, 'a smaller picture is chosen on a slow network')
    await throttle(100_000)
    await until(async () => (await seen(page)).height > low.height, 40, 'a larger picture is chosen on a fast network')
    const last = await seen(page)
    assert.ok(last.at > first.at, 'it went on playing')
    assert.equal(last.stalls, 0)
    assert.deepEqual(failures, [])
    await page.close()
  })
}

test('what the players said with their requests is counted, and none of it was unreadable or lost', { timeout: 60_000 }, async () => {
  const all = await until(async () => {
    const { rows } = await fetch(`${house.address}/api/studio/quality?window=300`).then((answer) => answer.json())
    return rows[0]?.requests > 20 && rows[0]
  }, 20, 'telemetry heard of requests for segments')
  // Throughput (`mtp`) is not among what this player says with segments; others say it.
  assert.ok(all.bufferP50Ms > 0, JSON.stringify(all))
  const counted = await fetch(`${house.address}/metrics`).then((answer) => answer.text())
  assert.match(counted, /matinee_edge_cmcd_total\{outcome="sent"\} [1-9]/)
  assert.doesNotMatch(counted, /matinee_edge_cmcd_total\{outcome="(unreadable|dropped|lost)"\}/)
})

test('the list shows the film and leads to it by keyboard', { timeout: 60_000 }, async () => {
  const page = await stranger(chromium)
  await page.goto(house.address)
  await page.waitForSelector('a[href="/title/film"]')
  await page.focus('a[href="/title/film"]')
  await page.keyboard.press('Enter')
  await page.waitForSelector('button[aria-label="Play A test film"]')
  await page.close()
})

test('an address that was changed to another protection is refused', async () => {
  const answer = await fetch(`${house.address}/api/play`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ title: 'film' }),
  })
  const { hls } = await answer.json()
  assert.equal((await fetch(house.address + hls)).status, 200)
  const changed = await fetch(house.address + hls.replace('/cbcs/', '/clear/'))
  assert.equal(changed.status, 403)
})
