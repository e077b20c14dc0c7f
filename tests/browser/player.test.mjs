// What a viewer can do with the player: quality, captions, thumbnails, keyboard, statistics; and what it does when the
// network or a session ends under it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { accessible } from './axe.mjs'
import { House, browser, stranger, until } from './house.mjs'

const SECONDS = 60

let house
let chromium

before(async () => {
  house = await House.open()
  house.add('film', house.film(SECONDS, '640x360'))
  chromium = await browser()
}, { timeout: 300_000 })

after(async () => {
  await chromium?.close()
  await house?.close()
})

async function playing(width = 1280, height = 800) {
  const page = await stranger(chromium)
  await page.setBypassCSP(true)
  await page.setViewport({ width, height })
  await page.goto(`${house.address}/title/film`)
  const button = await page.waitForSelector('button[aria-label="Play A test film"]')
  await button.click()
  await until(() => page.evaluate(() => document.querySelector('video')?.currentTime > 0.3), 20, 'it plays')
  return page
}

const video = (page, read) => page.evaluate(`(() => { const video = document.querySelector('video'); return ${read} })()`)

async function settings(page) {
  await page.mouse.move(300, 300)
  await page.click('button[aria-label="Settings"]')
  await page.waitForSelector('[role="menu"]')
}

/** Chooses an item of the settings menu by its group and its words. */
async function choose(page, group, words) {
  const found = await page.evaluate((group, words) => {
    const items = [...document.querySelectorAll(`[role="group"][aria-label="${group}"] [role="menuitemradio"]`)]
    const item = items.find((each) => each.textContent.includes(words))
    item?.click()
    return item ? null : items.map((each) => each.textContent)
  }, group, words)
  assert.equal(found, null, `${group} has no ${words}`)
}

test('quality, captions and speed are chosen in the menu', { timeout: 90_000 }, async () => {
  const page = await playing()
  await settings(page)
  await choose(page, 'Quality', '240')
  await until(() => video(page, 'video.videoHeight === 240'), 20, 'the picture has 240 lines')
  await choose(page, 'Quality', '360')
  await until(() => video(page, 'video.videoHeight === 360'), 20, 'the picture has 360 lines')
  await choose(page, 'Captions', 'English')
  await until(() => page.evaluate(() => document.querySelector('.stage').textContent.includes('Hello from the test')), 10, 'the caption is shown')
  await choose(page, 'Captions', 'Off')
  await until(() => page.evaluate(() => !document.querySelector('.stage').textContent.includes('Hello from the test')), 10, 'the caption is gone')
  await choose(page, 'Speed', '2×')
  assert.equal(await video(page, 'video.playbackRate'), 2)
  await page.keyboard.press('Escape')
  assert.equal(await page.$('[role="menu"]'), null)
  await page.close()
})

test('the timeline shows a picture of where the pointer is', { timeout: 60_000 }, async () => {
  const page = await playing()
  const bar = await (await page.waitForSelector('.timeline')).boundingBox()
  await page.mouse.move(bar.x + bar.width * 0.75, bar.y + bar.height / 2)
  const picture = await until(() => page.evaluate(() => {
    const shown = document.querySelector('[data-testid="preview"] .preview-picture')
    return shown && { image: getComputedStyle(shown).backgroundImage, at: shown.style.backgroundPosition, words: shown.parentElement.textContent }
  }), 10, 'the preview is there')
  const sheet = picture.image.match(/url\("(.+)"\)/)[1]
  const answer = await fetch(new URL(sheet, house.address))
  assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, 'image/jpeg'])
  assert.equal(picture.words, '0:45')
  assert.notEqual(picture.at, '0px 0px', 'it is not the first picture of the sheet')
  await page.close()
})

test('everything is done by keyboard', { timeout: 60_000 }, async () => {
  const page = await playing()
  const press = (key) => page.keyboard.press(key)
  await press('k')
  await until(() => video(page, 'video.paused'), 5, 'K pauses')
  await press('5')
  await until(() => video(page, `Math.abs(video.currentTime - ${SECONDS / 2}) < 0.5`), 5, '5 goes to the middle')
  await press('ArrowLeft')
  await until(() => video(page, `Math.abs(video.currentTime - ${SECONDS / 2 - 5}) < 0.5`), 5, 'the arrow goes back 5 s')
  await press('l')
  await until(() => video(page, `Math.abs(video.currentTime - ${SECONDS / 2 + 5}) < 0.5`), 5, 'L goes forward 10 s')
  await press('.')
  await until(() => video(page, `Math.abs(video.currentTime - ${SECONDS / 2 + 5} - 1 / 24) < 0.02`), 5, 'a frame on')
  await press('m')
  await until(() => video(page, 'video.muted'), 5, 'M mutes')
  await press('>')
  await until(() => video(page, 'video.playbackRate === 1.25'), 5, '> is faster')
  await press('i')
  const stats = await page.waitForSelector('[aria-label="Statistics"]')
  const words = await stats.evaluate((node) => node.textContent)
  assert.match(words, /Resolution640 × 360|Resolution426 × 240/)
  assert.match(words, /Protectionorg\.w3\.clearkey/)
  await press('?')
  await page.waitForFunction(() => document.body.textContent.includes('Play or pause'))
  await press('Space')
  await until(() => video(page, '!video.paused'), 5, 'space plays')
  await page.close()
})

test('a network that is gone for some seconds costs no more than waiting', { timeout: 90_000 }, async () => {
  const page = await playing()
  await page.evaluate(() => window.__matinee.player.configure('streaming.bufferingGoal', 4))
  const network = await page.createCDPSession()
  const offline = (gone) => network.send('Network.emulateNetworkConditions', { offline: gone, latency: 0, downloadThroughput: -1, uploadThroughput: -1 })
  await offline(true)
  const before = await video(page, 'video.currentTime')
  await new Promise((resolve) => setTimeout(resolve, 5000))
  await offline(false)
  await until(() => video(page, `video.currentTime > ${before + 12}`), 40, 'it goes on by itself')
  assert.equal(await page.$('.failed'), null)
  await page.close()
})

test('an address that ran out is replaced by a new session, at the same place', { timeout: 90_000 }, async () => {
  const page = await playing()
  await page.evaluate(() => window.__matinee.player.configure('streaming.bufferingGoal', 4))
  // From now on the old session's addresses are refused, as they are when their time is over.
  const old = await page.evaluate(() => window.__matinee.playback.snapshot().session.hls.split('/')[2])
  await page.setRequestInterception(true)
  let refused = 0
  page.on('request', (request) => {
    if (!request.url().includes(old)) return void request.continue()
    refused += 1
    return void request.respond({ status: 403, contentType: 'application/problem+json', body: '{"title":"not allowed"}' })
  })
  // Nothing is buffered there.
  await page.evaluate((to) => (document.querySelector('video').currentTime = to), SECONDS - 15)
  await until(() => video(page, `video.currentTime > ${SECONDS - 13} && video.currentTime < ${SECONDS}`), 30, 'it goes on with a new session')
  assert.ok(refused > 0, 'the old addresses were asked for')
  await page.close()
})

for (const [name, width, height] of [['a phone', 390, 844], ['a desk', 1280, 800], ['a television', 1920, 1080]]) {
  test(`the viewer's pages are accessible on ${name}`, { timeout: 60_000 }, async () => {
    const page = await stranger(chromium)
    await page.setBypassCSP(true)
    await page.setViewport({ width, height })
    for (const [path, ready] of [['/', 'a[href="/title/film"]'], ['/title/film', 'button[aria-label="Play A test film"]'], ['/title/none', 'main']]) {
      await page.goto(`${house.address}${path}`)
      await page.waitForSelector(ready)
      await accessible(page, path)
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
      assert.equal(wider, 0, `${path} scrolls sideways on ${name}`)
    }
    await page.close()
    const player = await playing(width, height)
    await player.keyboard.press('k')
    await player.evaluate(() => document.querySelector('button[aria-label="Settings"]').click())
    await player.waitForSelector('[role="menu"]')
    await accessible(player, 'the player with its menu')
    await player.close()
  })
}
