// Players that are not ours read what is published: hls.js, dash.js and Shaka Player, clear and encrypted, in every packaging.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { House, browser, until } from './house.mjs'

// By path: not every package exports its file for script elements.
const file = (path) => fileURLToPath(new URL(`node_modules/${path}`, import.meta.url))
const code = {
  hlsjs: file('hls.js/dist/hls.min.js'),
  dashjs: file('dashjs/dist/modern/umd/dash.all.min.js'),
  shaka: file('shaka-player/dist/shaka-player.compiled-es2021.js'),
}
const HEIGHTS = [240, 360]
const SECONDS = 40

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

async function session(protection) {
  const answer = await fetch(`${house.address}/api/play`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ title: 'film', protection }),
  })
  assert.equal(answer.status, 200)
  return answer.json()
}

/** A page of the service's origin with nothing on it but a video element and a reader. */
async function opened(reader) {
  const page = await chromium.newPage()
  await page.setBypassCSP(true)
  await page.goto(`${house.address}/readyz`)
  await page.addScriptTag({ path: code[reader] })
  await page.evaluate(() => {
    document.body.innerHTML = '<video muted width="640"></video>'
    const video = document.querySelector('video')
    window.seen = { errors: [], stalls: 0 }
    video.addEventListener('error', () => window.seen.errors.push(`media: ${video.error?.message}`))
    // Held up while it should play, and not because somebody sought.
    let moving = false
    video.addEventListener('playing', () => (moving = true))
    video.addEventListener('seeking', () => (moving = false))
    video.addEventListener('waiting', () => {
      if (moving && !video.seeking) window.seen.stalls += 1
    })
  })
  return page
}

/** Plays over a segment's end, seeks, and plays on; then nothing may have gone wrong. */
async function plays(page) {
  const at = () => page.evaluate(() => document.querySelector('video').currentTime)
  const past = (seconds) => until(async () => (await at()) > seconds, 20, `${seconds} s are played`).catch(async (error) => {
    throw new Error(`${error.message}: ${JSON.stringify(await page.evaluate(() => window.seen))}`)
  })
  await page.evaluate(() => {
    const video = document.querySelector('video')
    video.playbackRate = 2
    return video.play()
  })
  await past(5)
  await page.evaluate((to) => (document.querySelector('video').currentTime = to), SECONDS - 12)
  await past(SECONDS - 7)
  const seen = await page.evaluate(() => {
    const video = document.querySelector('video')
    const { totalVideoFrames, droppedVideoFrames } = video.getVideoPlaybackQuality()
    return { ...window.seen, frames: totalVideoFrames - droppedVideoFrames, duration: video.duration, encrypted: video.mediaKeys !== null }
  })
  assert.deepEqual(seen.errors, [])
  assert.equal(seen.stalls, 0)
  assert.ok(seen.frames > 60, `${seen.frames} frames were shown`)
  assert.ok(Math.abs(seen.duration - SECONDS) < 0.1, `it lasts ${seen.duration} s`)
  return seen
}

for (const [name, field] of [['fMP4', 'hls'], ['MPEG-TS', 'hlsTs']]) {
  test(`hls.js plays HLS with ${name}`, { timeout: 90_000 }, async () => {
    const { [field]: url } = await session('clear')
    assert.notEqual(url, '')
    const page = await opened('hlsjs')
    const told = await page.evaluate((url) => new Promise((resolve) => {
      const hls = new window.Hls({ enableWorker: false })
      hls.on(window.Hls.Events.ERROR, (_, data) => {
        // It counts MPEG-TS from the first decode time, and steps over the frames until the first is shown.
        if (data.details !== window.Hls.ErrorDetails.BUFFER_SEEK_OVER_HOLE)
          window.seen.errors.push(`${data.type} ${data.details} ${data.error?.message ?? ''}`)
      })
      hls.on(window.Hls.Events.MANIFEST_PARSED, () => resolve({
        heights: hls.levels.map((level) => level.height).sort((a, b) => a - b),
        audio: hls.allAudioTracks.map((track) => track.lang ?? ''),
        text: hls.allSubtitleTracks.map((track) => track.lang ?? ''),
      }))
      hls.loadSource(url)
      hls.attachMedia(document.querySelector('video'))
      window.hls = hls
    }), url)
    assert.deepEqual(told.heights, HEIGHTS)
    assert.equal(told.audio.length, field === 'hls' ? 1 : 0, 'MPEG-TS has its sound beside the picture')
    assert.deepEqual(told.text, ['en'])
    await plays(page)
    await page.close()
  })
}

for (const protection of ['clear', 'cbcs', 'cenc']) {
  for (const kind of ['live', 'ondemand']) {
    test(`dash.js plays DASH ${kind}, ${protection}`, { timeout: 90_000 }, async () => {
      const { dash, license, token } = await session(protection)
      const page = await opened('dashjs')
      const told = await page.evaluate((url, license, token) => new Promise((resolve) => {
        const player = window.dashjs.MediaPlayer().create()
        player.updateSettings({ debug: { logLevel: 0 } })
        player.on('error', (event) => window.seen.errors.push(`${event.error?.code ?? ''} ${event.error?.message ?? event.error}`))
        player.on('streamInitialized', () => resolve({
          heights: player.getRepresentationsByType('video').map((track) => track.height).sort((a, b) => a - b),
          audio: player.getTracksFor('audio').length,
          text: player.getTracksFor('text').map((track) => track.lang),
          thumbnails: player.getTracksFor('image').length,
        }))
        player.initialize(document.querySelector('video'), null, false)
        if (license) {
          player.setProtectionData({
            'org.w3.clearkey': { serverURL: license, httpRequestHeaders: { authorization: `Bearer ${token}`, 'content-type': 'application/json' } },
          })
        }
        player.attachSource(url)
      }), dash.replace('live.mpd', `${kind}.mpd`), license, token)
      assert.deepEqual(told.heights, HEIGHTS)
      assert.equal(told.audio, 1)
      assert.deepEqual(told.text, ['en'])
      assert.equal(told.thumbnails, 1)
      const { encrypted } = await plays(page)
      assert.equal(encrypted, protection !== 'clear')
      await page.close()
    })
  }
}

for (const protection of ['cbcs', 'cenc']) {
  for (const kind of ['hls', 'live', 'ondemand']) {
    test(`Shaka Player plays ${kind}, ${protection}`, { timeout: 90_000 }, async () => {
      const { hls, dash, license, token } = await session(protection)
      const url = kind === 'hls' ? hls : dash.replace('live.mpd', `${kind}.mpd`)
      const page = await opened('shaka')
      const told = await page.evaluate(async (url, license, token) => {
        const { shaka } = window
        shaka.polyfill.installAll()
        const player = new shaka.Player()
        await player.attach(document.querySelector('video'))
        player.addEventListener('error', (event) => window.seen.errors.push(`${event.detail.code} ${event.detail.message}`))
        player.configure('drm.servers', { 'org.w3.clearkey': license })
        // HLS has no key format for ClearKey that Shaka Player knows; the Widevine one carries the common pssh too.
        if (url.includes('.m3u8'))
          player.configure('drm', {
            servers: { 'com.widevine.alpha': license }, keySystemsMapping: { 'com.widevine.alpha': 'org.w3.clearkey' },
          })
        player.getNetworkingEngine().registerRequestFilter((type, request) => {
          if (type !== shaka.net.NetworkingEngine.RequestType.LICENSE) return
          request.headers.Authorization = `Bearer ${token}`
          request.headers['Content-Type'] = 'application/json'
        })
        await player.load(url)
        return {
          heights: [...new Set(player.getVariantTracks().map((track) => track.height))].sort((a, b) => a - b),
          text: player.getTextTracks().map((track) => track.language),
          thumbnails: player.getImageTracks().length,
        }
      }, url, license, token)
      assert.deepEqual(told.heights, HEIGHTS)
      assert.deepEqual(told.text, ['en'])
      assert.equal(told.thumbnails, 1)
      const { encrypted } = await plays(page)
      assert.ok(encrypted)
      await page.close()
    })
  }
}
