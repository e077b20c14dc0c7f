import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import react from '@vitejs/plugin-react'
import { type Plugin, defineConfig } from 'vitest/config'

/** The packages whose code ends up in the bundle; each must keep its licence. */
const BUNDLED = ['react', 'react-dom', 'scheduler', 'shaka-player', 'tus-js-client', 'js-base64', 'url-parse', 'requires-port', 'querystringify']

/** Writes the licences of bundled packages to `licences.txt`, which the footer links. */
function licences(): Plugin {
  return {
    name: 'matinee-licences',
    apply: 'build',
    generateBundle() {
      const parts = BUNDLED.map((name) => {
        const folder = join(import.meta.dirname, 'node_modules', name)
        const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string; license: string }
        const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
        const text = file ? readFileSync(join(folder, file), 'utf8').trim() : ''
        return `${name} ${version} (${license})\n\n${text}\n`
      })
      this.emitFile({ type: 'asset', fileName: 'licences.txt', source: parts.join(`\n${'-'.repeat(80)}\n\n`) })
    },
  }
}

const backend = process.env.MATINEE_URL ?? 'http://127.0.0.1:8400'

export default defineConfig({
  plugins: [react(), licences()],
  build: {
    target: 'es2022',
    chunkSizeWarningLimit: 1200,
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: { index: join(import.meta.dirname, 'index.html'), sw: join(import.meta.dirname, 'src/offline/worker.ts') },
      // A service worker reaches as far as its own address.
      output: { entryFileNames: ({ name }) => (name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js') },
    },
  },
  server: { proxy: Object.fromEntries(['/api', '/uploads', '/v/', '/license'].map((path) => [path, { target: backend }])) },
  test: { environment: 'node', include: ['src/**/*.test.ts'] },
})
