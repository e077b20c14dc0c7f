/** What the service worker keeps of whoever is signed in, seen from the page. */

/** Caches whose names begin so are a viewer's own; the worker names them (`handling.ts`). */
const OWN = 'matinee-viewer-'

/** Drops what was kept of whoever was signed in. */
export async function forgetAnswers(): Promise<void> {
  if (!('caches' in globalThis)) return
  const names = await caches.keys().catch((): string[] => [])
  await Promise.all(names.filter((name) => name.startsWith(OWN)).map((name) => caches.delete(name))).catch(() => undefined)
}
