// An upload by a real client, over a server that is killed on the way, ends byte-identical.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import * as tus from 'tus-js-client'
import { House, until } from './house.mjs'

let house
before(async () => { house = await House.open() })
after(async () => { await house?.close() })

test('an upload survives a killed server and ends byte-identical', { timeout: 200_000 }, async () => {
  const { film } = house.film(20)
  const bytes = readFileSync(film)
  let killed = false
  let address = ''
  await new Promise((resolve, reject) => {
    const upload = new tus.Upload(createReadStream(film), {
      endpoint: `${house.address}/uploads`,
      uploadSize: bytes.length,
      chunkSize: 1 << 20,
      retryDelays: [100, 300, 600, 1000, 2000, 4000],
      metadata: { filename: 'film.mkv', title: 'Sent by tus' },
      onError: reject,
      onSuccess: () => resolve(),
      onChunkComplete: (_, accepted) => {
        address = upload.url
        if (killed || accepted < bytes.length / 3) return
        killed = true
        house.kill().then(() => house.start()).catch(reject)
      },
    })
    upload.start()
  })
  assert.ok(killed, 'the server was killed on the way')
  const id = address.split('/').at(-1)
  const sum = (data) => createHash('sha256').update(data).digest('hex')
  const folder = join(house.folder, 'data/objects/masters')
  const name = (await readdir(folder)).find((file) => file === id)
  assert.ok(name, `master ${id} is in the object store`)
  assert.equal(sum(readFileSync(join(folder, name))), sum(bytes))
  await until(async () => (await fetch(`${house.address}/api/titles/sent-by-tus`)).ok, 120, 'the film is published')
})
