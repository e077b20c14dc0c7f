// Whether a page is accessible: WCAG 2.2, level AA, as far as axe can tell.
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'

const code = fileURLToPath(new URL('node_modules/axe-core/axe.min.js', import.meta.url))
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

/** Fails with each rule that the page breaks, and where. The page must have been opened with its CSP bypassed. */
export async function accessible(page, name) {
  await page.addScriptTag({ path: code })
  const broken = await page.evaluate(async (values) => {
    const { violations } = await window.axe.run(document, { runOnly: { type: 'tag', values } })
    return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`)
  }, RULES)
  assert.deepEqual(broken, [], `${name} is not accessible`)
}
