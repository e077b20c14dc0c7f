// A house that takes payments by Stripe: its form is Stripe's own. Stripe's API is its mock server, which holds each
// request against Stripe's description; its script, which comes from its site alone, is played by the test.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { House, asks, browser, press, says, until } from './house.mjs'

const ENGINE = fileURLToPath(new URL('../engines/engine', import.meta.url))
const SCRIPT = 'https://js.stripe.com/basil/stripe.js'

/** What Stripe's script is to a page: a form with one field, in which a payment method's name is typed. */
const STRIPE = `
window.Stripe = (key) => ({
  _registerWrapper() {},
  elements({ clientSecret }) {
    const field = document.createElement('input')
    const heard = {}
    return {
      field, clientSecret, key,
      create: (kind) => ({
        on: (name, call) => { heard[name] = call },
        mount: (box) => {
          field.setAttribute('aria-label', 'Card number')
          field.dataset.form = [kind, key, clientSecret].join(' ')
          box.append(field)
          setTimeout(() => heard.ready?.(), 50)
        },
        destroy: () => field.remove(),
      }),
      submit: async () => (field.value === '' ? { error: { message: 'Your card number is incomplete.' } } : {}),
    }
  },
  async confirmSetup({ elements }) {
    if (elements.field.value === 'declined') return { error: { message: 'Your bank declined the card.' } }
    return { setupIntent: { payment_method: elements.field.value } }
  },
})`

let house
let chromium
let secrets

before(async () => {
  secrets = mkdtempSync(join(tmpdir(), 'matinee-stripe-'))
  const files = { key: join(secrets, 'key'), webhooks: join(secrets, 'webhooks') }
  writeFileSync(files.key, 'sk_test_matinee')
  writeFileSync(files.webhooks, 'whsec_matinee')
  const api = process.env.MATINEE_TEST_STRIPE ?? execFileSync(ENGINE, ['start', 'stripe-mock'], { encoding: 'utf8' }).trim()
  house = await House.open({
    MATINEE_VIEWING__ACCESS: 'members',
    MATINEE_BILLING__STRIPE__API: api,
    MATINEE_BILLING__STRIPE__PUBLISHABLE_KEY: 'pk_test_matinee',
    MATINEE_BILLING__STRIPE__SECRET_KEY_FILE: files.key,
    MATINEE_BILLING__STRIPE__WEBHOOK_SECRETS_FILE: files.webhooks,
  })
  chromium = await browser()
}, { timeout: 300_000 })

after(async () => {
  await chromium?.close()
  await house?.close()
  rmSync(secrets, { recursive: true, force: true })
})

const card = (page) => page.waitForSelector('.payment-form input', { timeout: 15_000 })

async function type(page, words) {
  const field = await card(page)
  await field.evaluate((input) => { input.value = '' })
  await field.type(words)
}

test('a card is typed into the form of Stripe, whose refusals are told', { timeout: 120_000 }, async () => {
  const page = await chromium.newPage()
  const refused = []
  page.on('console', (said) => said.text().includes('Content Security Policy') && refused.push(said.text()))
  // Of Stripe's site, which is not asked.
  await page.setRequestInterception(true)
  page.on('request', (request) => (request.url().startsWith(SCRIPT)
    ? void request.respond({ contentType: 'text/javascript', body: STRIPE })
    : void request.continue()))
  await page.goto(`${house.address}/sign-up`)
  const words = { email: 'ada@example.org', password: 'a kite over the harbour', name: 'Ada', territory: 'DE' }
  const signedUp = await asks(page, '/api/account/sign-up', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(words) })
  assert.equal(signedUp.status, 200)
  await page.goto(`${house.address}/plans`)
  // With free days: nothing is charged, which the mock could not do.
  await (await page.waitForSelector('input[value="standard"]')).evaluate((input) => input.click())
  await press(page, 'Continue')
  const opened = await (await card(page)).evaluate((input) => input.dataset.form)
  assert.match(opened, /^payment pk_test_matinee seti_\w+_secret_\w+$/)
  assert.deepEqual(refused, [], 'the page may hold the form')

  await press(page, 'Start your free days')
  await says(page, 'Your card number is incomplete.')
  await type(page, 'declined')
  await press(page, 'Start your free days')
  await says(page, 'Your bank declined the card.')
  // What is no payment method of Stripe is refused by billing, and another form is opened for another card.
  await type(page, 'tok_visa')
  await press(page, 'Start your free days')
  await says(page, 'a payment method of Stripe')
  await until(async () => (await card(page)).evaluate((input) => input.value === ''), 15, 'an empty form')
  await type(page, 'pm_card_visa')
  await press(page, 'Start your free days')
  await says(page, 'Who’s watching?')

  await page.goto(`${house.address}/account#plan`)
  await says(page, 'Paid by Visa ending in 4242')
  await press(page, 'Change the payment method')
  await type(page, 'pm_card_visa')
  await press(page, 'Use this card')
  await says(page, 'The payment method is changed.')
  await page.close()
})

test('a site of Stripe that can’t be reached is told, and asked again', { timeout: 60_000 }, async () => {
  const page = await chromium.newPage()
  let gone = true
  await page.setRequestInterception(true)
  page.on('request', (request) => {
    if (!request.url().startsWith(SCRIPT)) return void request.continue()
    return gone ? void request.abort() : void request.respond({ contentType: 'text/javascript', body: STRIPE })
  })
  await page.goto(`${house.address}/account#plan`)
  await press(page, 'Change the payment method')
  await says(page, 'The payment form can’t be shown')
  gone = false
  await press(page, 'Try again')
  await card(page)
  await page.close()
})
