// From sign-up to "because you watched": a new viewer of an installation with members, and services that die meanwhile.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { accessible } from './axe.mjs'
import { House, asks, browser, button, press, says, until } from './house.mjs'

const SECONDS = 60
const EMAIL = 'ada@example.org'
const PASSWORD = 'a kite over the harbour'

let house
let chromium
let viewer

const CATALOGUE = [
  { title: { id: 'kite', year: 2020, genres: ['adventure', 'family'], originalLanguage: 'en' } },
  { title: { id: 'kites-again', year: 2021, genres: ['adventure', 'family'], originalLanguage: 'en' } },
  { title: { id: 'harbour', year: 2022, genres: ['adventure'], windows: [{ territory: 'JP', from: '2020-01-01T00:00:00Z' }] } },
]

before(async () => {
  house = await House.open({ MATINEE_VIEWING__ACCESS: 'members', MATINEE_INSIGHT__TRACE_RATE: '1', MATINEE_STUDIO__KEY: 'curtain' })
  const film = house.film(SECONDS, '426x240')
  house.add('kite', film, 'The Kite Runner of the Harbour')
  house.add('kites-again', film, 'Kites Again')
  house.add('harbour', film, 'Harbour Lights')
  // Higher than the basic plan goes.
  house.add('tower', house.film(30, '1280x720'), 'The Tower')
  const file = join(house.folder, 'catalogue.json')
  writeFileSync(file, JSON.stringify(CATALOGUE))
  house.command('catalog', 'import', file)
  chromium = await browser()
  viewer = await chromium.createBrowserContext()
}, { timeout: 400_000 })

after(async () => {
  await chromium?.close()
  await house?.close()
})

async function opened(path, context = viewer) {
  const page = await context.newPage()
  await page.setBypassCSP(true)
  await page.setViewport({ width: 1280, height: 800 })
  await page.goto(`${house.address}${path}`)
  return page
}

const fill = async (page, name, text) => (await page.waitForSelector(`input[name="${name}"]`)).type(text)
const at = (page) => page.evaluate(() => document.querySelector('video')?.currentTime ?? 0)
const play = async (page, name) => (await page.waitForSelector(`button[aria-label="Play ${name}"]`, { timeout: 15_000 })).click()

async function signedIn() {
  const context = await chromium.createBrowserContext()
  const page = await opened('/sign-in', context)
  await fill(page, 'email', EMAIL)
  await fill(page, 'password', PASSWORD)
  await press(page, 'Sign in')
  await until(() => asks(page, '/api/account').then(({ body }) => body?.signedIn), 20, 'the second browser is signed in')
  const { body } = await asks(page, '/api/account')
  await asks(page, '/api/account/choose-profile', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ profile: body.profiles[0].id }) })
  return page
}

test('a new viewer signs up, is told what is missing, picks a plan and a profile', { timeout: 120_000 }, async () => {
  const page = await opened('/sign-up')
  await accessible(page, 'sign-up')
  await fill(page, 'email', EMAIL)
  await fill(page, 'password', PASSWORD)
  await fill(page, 'name', 'Ada')
  await page.select('select[name="territory"]', 'US')
  await press(page, 'Create account')
  await says(page, 'Check your mail')
  const refused = await asks(page, '/api/web/play', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"title":"kite"}' })
  assert.equal(refused.body.code, 'no_subscription', JSON.stringify(refused))
  await press(page, 'Continue')
  await says(page, 'Choose your plan')
  await accessible(page, 'the plans')
  // One without free days: it is paid at once.
  await (await page.waitForSelector('input[value="basic"]')).evaluate((input) => input.click())
  await press(page, 'Continue')
  await says(page, 'Payment')
  await press(page, 'Subscribe and pay')
  await says(page, 'Who’s watching?')
  await accessible(page, 'the profiles')
  await press(page, 'Ada')
  await until(() => asks(page, '/api/account').then(({ body }) => body.subscription !== null && body.profile !== null), 20, 'the account has a plan and a profile')
  await page.close()
})

test('search forgives a typo, and a title plays', { timeout: 120_000 }, async () => {
  const page = await opened('/search')
  await until(async () => {
    const { body } = await asks(page, '/api/web/search?q=kite')
    return body?.hits?.length > 0
  }, 20, 'the catalogue is searched')
  await (await page.waitForSelector('input[type="search"]')).type('kiet runer')
  const hit = await page.waitForSelector('section[aria-label="Found titles"] a[href="/title/kite"]', { timeout: 15_000 })
  await accessible(page, 'what was found')
  await hit.click()
  await play(page, 'The Kite Runner of the Harbour')
  await until(async () => (await at(page)) > 1, 20, 'it plays')
  await page.keyboard.press('5')
  await until(async () => (await at(page)) > SECONDS / 2 + 2, 20, 'it plays on from the middle')
  await page.close()
})

test('it resumes in a second browser at the same second, and a finished film changes the rows', { timeout: 180_000 }, async () => {
  const second = await signedIn()
  const stopped = await until(async () => {
    const { body } = await asks(second, '/api/web/titles/kite')
    return body?.resumeSeconds > SECONDS / 2 && body.resumeSeconds
  }, 20, 'the second browser knows where the first stopped')
  await second.goto(`${house.address}/title/kite`)
  await play(second, 'The Kite Runner of the Harbour')
  const resumed = await until(() => at(second), 20, 'it plays again')
  assert.ok(Math.abs(resumed - stopped) < 3, `it stopped at ${stopped} s and went on at ${resumed} s`)
  await second.keyboard.press('9')
  await until(async () => (await at(second)) > SECONDS - 2 || (await second.evaluate(() => document.querySelector('video')?.ended ?? false)), 40, 'it is over')
  await second.goto(`${house.address}/`)
  const because = await until(async () => {
    const { body } = await asks(second, '/api/web/home')
    return body?.rows?.find((row) => row.kind === 'because')
  }, 15, 'the rows know what was finished')
  assert.ok(because.items.some((card) => card.id === 'kites-again'), JSON.stringify(because))
  await second.reload()
  await says(second, because.title)
  await accessible(second, 'home')
  await second.browserContext().close()
})

/** Lines of the picture that is shown. */
const shown = (page) => page.evaluate(() => document.querySelector('video')?.videoHeight ?? 0)

/** Plays the tower from its start; lines of the rungs that the menu offers, the most first. */
async function watches(page, protocol) {
  await page.goto(`${house.address}/title/tower?protocol=${protocol}`)
  await play(page, 'The Tower')
  await until(async () => (await at(page)) > 1.5, 20, `it plays by ${protocol}`)
  return page.evaluate(() => window.__matinee.playback.snapshot().video.map(({ track }) => track.height))
}

test('a plan gives its pictures and no higher ones, and a change of plan gives the rest', { timeout: 120_000 }, async () => {
  const page = await opened('/')
  for (const protocol of ['hls', 'dash']) {
    const [most] = await watches(page, protocol)
    assert.equal(most, 480, `${protocol} offers the basic plan`)
    assert.ok((await shown(page)) <= 480, `${protocol} shows the basic plan`)
  }
  const changed = await asks(page, '/api/subscription/change', {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ plan: 'premium' }),
  })
  assert.equal(changed.status, 200, JSON.stringify(changed))
  for (const protocol of ['hls', 'dash']) {
    await until(async () => (await watches(page, protocol))[0] === 720, 30, `${protocol} offers 720 lines to the premium plan`)
    // There and back: each has another key, and the player heard of one of them only when it began.
    for (const lines of [480, 720, 480]) {
      await page.evaluate((height) => {
        const { playback } = window.__matinee
        playback.chooseVideo(playback.snapshot().video.find(({ track }) => track.height === height).track)
      }, lines)
      await until(async () => (await shown(page)) === lines, 20, `${protocol} changes to ${lines} lines`)
      const before = await at(page)
      await until(async () => (await at(page)) > before + 0.5, 20, `${protocol} plays on in ${lines} lines`)
    }
  }
  await page.close()
})

test('a title that is not licensed here says so', { timeout: 60_000 }, async () => {
  const page = await opened('/title/harbour')
  await says(page, 'not available where you are')
  await page.close()
})

for (const service of ['ratings', 'recommend', 'history', 'search']) {
  test(`a film starts and home shows while ${service} is dead`, { timeout: 120_000 }, async () => {
    await house.again({ MATINEE_FAULTS__INJECT: `${service}=dead` })
    const page = await opened('/')
    const bad = []
    page.on('response', (answer) => {
      if (answer.status() >= 500 && !answer.url().includes(`/${service}`)) bad.push(`${answer.status()} ${answer.url()}`)
    })
    await page.reload()
    await page.waitForSelector('a[href="/title/kites-again"]', { timeout: 15_000 })
    await page.goto(`${house.address}/title/kites-again`)
    await play(page, 'Kites Again')
    await until(async () => (await at(page)) > 0.5, 20, 'it plays')
    assert.deepEqual(bad, [])
    const words = await page.evaluate(() => document.body.innerText)
    assert.doesNotMatch(words, /unavailable|error|failed|something went wrong/i)
    await page.close()
  })
}

test('one trace goes from the gateway to the store', { timeout: 60_000 }, async () => {
  await house.again({ MATINEE_FAULTS__INJECT: '' })
  const page = await opened('/')
  const answer = await page.evaluate(async () => {
    const played = await fetch('/api/web/play', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"title":"kite"}' })
    return { status: played.status, trace: played.headers.get('x-b3-traceid') }
  })
  assert.equal(answer.status, 200)
  assert.match(answer.trace, /^[0-9a-f]{32}$/)
  const names = await until(async () => {
    const operator = { authorization: `Basic ${btoa('studio:curtain')}` }
    const found = await fetch(`${house.address}/api/studio/traces/${answer.trace}`, { headers: operator })
    if (!found.ok) return false
    const spans = (await found.json()).spans.map((span) => `${span.service} ${span.name}`)
    return spans.some((name) => name.includes('store.')) && spans
  }, 20, 'the trace is kept')
  assert.ok(names.some((name) => name.includes('POST /api/')), names.join('\n'))
  assert.ok(names.some((name) => name.includes('Playback/Start') || name.includes('playback')), names.join('\n'))
  await page.close()
})

test('who cancelled watches until the period is over, and is told when the subscription has ended', { timeout: 60_000 }, async () => {
  const page = await opened('/')
  const cancelled = await asks(page, '/api/subscription/cancel', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })
  assert.equal(cancelled.status, 200, JSON.stringify(cancelled))
  assert.equal((await asks(page, '/api/web/titles/kite')).body.playable, true)
  // A month and more passes.
  house.command('billing', 'run-due', '--ahead', '45')
  assert.match(house.command('billing', 'ledger'), /\(sum\) +0/)
  await until(async () => (await asks(page, '/api/web/titles/kite')).body.playable === false, 30, 'it is over')
  await page.goto(`${house.address}/title/kite`)
  await says(page, 'Your subscription has ended')
  await button(page, 'Renew your subscription')
  await page.close()
})
