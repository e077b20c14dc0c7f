// The REST interface under a fuzzer that reads its OpenAPI document: whatever is sent, nothing fails on our side.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { House } from './house.mjs'

const tools = process.env.MATINEE_TOOLS ?? join(homedir(), '.cache/matinee/tools')
const EXAMPLES = 3
const WHO = { email: 'fuzz@example.org', password: 'a long enough password', tokens: 'body' }

let house

before(async () => {
  house = await House.open({ MATINEE_VIEWING__ACCESS: 'members', MATINEE_VIEWING__RATE_LIMITS: 'false' })
}, { timeout: 120_000 })

after(() => house?.close())

async function asked(path, body) {
  const answer = await fetch(`${house.address}${path}`, {
    method: 'POST', headers: { 'content-type': 'application/json', 'x-requested-with': 'tests' }, body: JSON.stringify(body),
  })
  const said = await answer.json()
  assert.ok(answer.ok, JSON.stringify(said))
  return said
}

/** What the fuzzer says, and how it ended. */
function fuzzed(...words) {
  return new Promise((resolve) => {
    const python = spawn('python3', ['-m', 'schemathesis.cli', 'run', `${house.address}/openapi.json`, ...words], {
      env: { ...process.env, PYTHONPATH: join(tools, 'schemathesis') }, cwd: house.folder,
    })
    let text = ''
    for (const stream of [python.stdout, python.stderr]) stream.on('data', (part) => (text += part))
    python.once('exit', (code) => resolve({ code, text }))
  })
}

test('the document can be read, and whatever is sent by it never ends in a failure of ours', { timeout: 900_000 }, async () => {
  await asked('/api/account/sign-up', { ...WHO, territory: 'US' })
  house.command('account', 'roles', WHO.email, 'admin')
  const { accessToken } = await asked('/api/account/sign-in', WHO)
  assert.ok(accessToken)
  const { code, text } = await fuzzed(
    '--checks', 'not_a_server_error', '--phases', 'examples,coverage,fuzzing', '--max-examples', String(EXAMPLES), '--seed', '2026',
    '--generation-database', 'none', '--no-color', '--warnings', 'off', '--max-time', '150', '--continue-on-failure', '--no-shrink',
    '-H', `Authorization: Bearer ${accessToken}`, '-H', 'X-Requested-With: tests',
    // They end the account that asks, or wait for what never comes.
    '--exclude-path', '/api/account', '--exclude-path-regex', '/events$',
  )
  assert.equal(code, 0, text.slice(-6000))
  assert.match(text, /operations/i)
})
