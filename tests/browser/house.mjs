// A Matinee of the test's own: a data folder, free ports, a film made by ffmpeg; and a browser to look at it with.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import puppeteer from 'puppeteer-core'

const target = process.env.CARGO_TARGET_DIR ?? join(homedir(), '.cache/matinee/target')
const program = process.env.MATINEE ?? join(target, 'debug/matinee')
export const ffmpeg = process.env.MATINEE_FFMPEG ?? join(homedir(), '.cache/matinee/tools/bin/ffmpeg')

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

/** Waits until `what` returns something true, at most `seconds`. */
export async function until(what, seconds, why) {
  const end = Date.now() + seconds * 1000
  for (;;) {
    const found = await what()
    if (found) return found
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${why}`)
    await pause(50)
  }
}

/** A running service. */
export class House {
  /** Starts one with these settings (`MATINEE_SECTION__KEY`) over the tests' own. */
  static async open(settings = {}) {
    const house = new House()
    house.folder = mkdtempSync(join(tmpdir(), 'matinee-browser-'))
    house.ports = [await freePort(), await freePort()]
    house.address = `http://127.0.0.1:${house.ports[0]}`
    house.environment = {
      ...process.env,
      MATINEE_SERVICES__ADDRESS: `http://127.0.0.1:${house.ports[1]}`,
      MATINEE_FFMPEG: ffmpeg,
      MATINEE_FFPROBE: process.env.MATINEE_FFPROBE ?? join(homedir(), '.cache/matinee/tools/bin/ffprobe'),
      MATINEE_ENCODE__CHUNK_SECONDS: '8',
      MATINEE_VIEWING__ACCESS: 'open',
      ...settings,
    }
    await house.start()
    return house
  }

  async start() {
    const [http, grpc] = this.ports
    const flags = ['--data', join(this.folder, 'data'), 'run', '--listen', `127.0.0.1:${http}`, '--grpc-listen', `127.0.0.1:${grpc}`]
    this.process = spawn(program, flags, { env: this.environment, stdio: ['ignore', 'ignore', 'pipe'] })
    this.log = ''
    this.process.stderr.on('data', (text) => (this.log += text))
    const ready = async () => {
      if (this.process.exitCode !== null) throw new Error(`the service ended:\n${this.log}`)
      return fetch(`${this.address}/readyz`).then((answer) => answer.ok, () => false)
    }
    await until(ready, 30, 'the service is ready')
  }

  /** Ends it as a power cut would. */
  async kill() {
    const ended = new Promise((resolve) => this.process.once('exit', resolve))
    this.process.kill('SIGKILL')
    await ended
  }

  async close() {
    const ended = new Promise((resolve) => this.process.once('exit', resolve))
    if (this.process.exitCode === null) {
      this.process.kill('SIGTERM')
      await ended
    }
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Makes a film of this many seconds and its subtitles, and returns their paths. */
  film(seconds, size = '1280x720') {
    const [film, subtitles] = [join(this.folder, 'film.mkv'), join(this.folder, 'film.srt')]
    execFileSync(ffmpeg, [
      '-v', 'error', '-y', '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=24:duration=${seconds}`,
      '-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${seconds}`,
      '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '24', '-c:a', 'aac', film,
    ])
    writeFileSync(subtitles, '1\n00:00:00,000 --> 00:00:10,000\nHello from the test\n')
    return { film, subtitles }
  }

  /** Takes a film in with the command line, and waits until it plays. */
  add(id, { film, subtitles }, name = 'A test film') {
    this.command('title', 'add', film, '--title', id, '--name', name, '--subtitle', `en=${subtitles}`)
  }

  /** Runs the program's command line against it; what it says. */
  command(...words) {
    const flags = ['--data', join(this.folder, 'data'), ...words]
    return execFileSync(program, flags, { env: this.environment, stdio: ['ignore', 'pipe', 'inherit'], timeout: 300_000, encoding: 'utf8' })
  }

  /** Ends it as a power cut would, and starts it again with these settings over its own. */
  async again(settings) {
    await this.kill()
    Object.assign(this.environment, settings)
    await this.start()
  }
}

/** A page of somebody who was never here: with a history of its own. Closing it forgets them. */
export async function stranger(chromium) {
  const context = await chromium.createBrowserContext()
  const page = await context.newPage()
  page.once('close', () => void context.close().catch(() => undefined))
  return page
}

/** Waits until the page says these words. */
export const says = (page, words) => page.waitForFunction((text) => document.body.innerText.includes(text), { timeout: 15_000 }, words)

/** The button or link of these words, as soon as it can be pressed. */
export const button = (page, words) => page.waitForSelector(`::-p-xpath(//button[normalize-space()="${words}" and not(@disabled)] | //a[normalize-space()="${words}"])`)
export const press = async (page, words) => (await button(page, words)).click()

/** Asks the service as the page does: its status, and its JSON where it answers any. */
export const asks = (page, path, init) => page.evaluate(async (to, how) => {
  const answer = await fetch(to, how)
  return { status: answer.status, body: await answer.json().catch(() => null) }
}, path, init)

/** A headless Chromium with a profile of its own. */
export function browser() {
  return puppeteer.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required',
    ],
  })
}
