// A certified provider of OpenID Connect (npm `oidc-provider`) for a test that is not run by itself:
//
//     npm install --prefix FOLDER oidc-provider && cp provider.mjs FOLDER && node FOLDER/provider.mjs 9911 &
//     MATINEE_TEST_PROVIDER=http://127.0.0.1:9911 cargo test -p matinee-accounts certified -- --ignored
//
// With a second argument `idtoken` it names the address in the ID token, else beside it only. Its address /_browser?url=…
// plays the browser: it signs somebody called grace in and answers the address that the browser is sent back to.
import http from 'node:http'
import { Provider } from 'oidc-provider'
const port = Number(process.argv[2] ?? 9911)
const issuer = `http://127.0.0.1:${port}`
const provider = new Provider(issuer, {
  clients: [{ client_id: 'films', client_secret: 'a-secret-between-two', redirect_uris: ['https://films.example/api/openid/callback'] }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'locale'] },
  pkce: { required: () => true },
  conformIdTokenClaims: process.argv[3] !== 'idtoken',
  async findAccount(_ctx, id) {
    return { accountId: id, claims: async () => ({ sub: id, email: `${id}@example.org`, email_verified: true, name: 'Grace H.', locale: 'en-GB' }) }
  },
})
const jar = () => { const c = new Map(); return { take(res) { for (const s of res.headers.getSetCookie()) { const [nv] = s.split(';'); const i = nv.indexOf('='); c.set(nv.slice(0, i), nv.slice(i + 1)) } }, header: () => [...c].map(([k, v]) => `${k}=${v}`).join('; ') } }
async function dance(url) {
  const cookies = jar()
  let body, method = 'GET'
  for (let i = 0; i < 20; i++) {
    if (url.startsWith('https://films.example/')) return url
    const res = await fetch(url, { method, body, redirect: 'manual', headers: { cookie: cookies.header(), ...(body ? { 'content-type': 'application/x-www-form-urlencoded' } : {}) } })
    cookies.take(res)
    if (res.status >= 300 && res.status < 400) { url = new URL(res.headers.get('location'), url).href; method = 'GET'; body = undefined; continue }
    const html = await res.text()
    const action = /action="([^"]+)"/.exec(html)?.[1]
    if (!action) throw new Error(`${res.status} ${html.slice(0, 800)}`)
    url = new URL(action, url).href
    method = 'POST'
    body = html.includes('value="login"') ? 'prompt=login&login=grace&password=x' : 'prompt=consent'
  }
  throw new Error('too many steps')
}
const app = provider.callback()
http.createServer(async (req, res) => {
  const at = new URL(req.url, issuer)
  if (at.pathname === '/_browser') {
    try { res.end(await dance(at.searchParams.get('url'))) } catch (e) { res.statusCode = 500; res.end(String(e)) }
    return
  }
  app(req, res)
}).listen(port, '127.0.0.1', () => console.log('ready', issuer))
