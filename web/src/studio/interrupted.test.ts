import { describe, expect, test } from 'vitest'
import { fingerprintOf, idOf, match } from './interrupted'

const file = (name: string, content: string, lastModified = 7) => new File([content], name, { lastModified })
const begun = file('film.mkv', 'four')
const upload = {
  name: 'film.mkv',
  size: 4,
  missing: [{ name: 'film.en.srt', size: 2, kind: 'subtitles', language: 'en', label: '', arrived: false } as const],
  previous: {
    size: 4, metadata: {}, creationTime: '', uploadUrl: '/uploads/m1', parallelUploadUrls: null,
    urlStorageKey: `tus::${fingerprintOf(begun, '')}::1`,
  },
}

describe('an interrupted upload goes on', () => {
  test('with the same file and what is missing beside it', () => {
    const found = match(upload, [file('film.en.srt', 'ab'), begun])
    expect(found).toMatchObject({ master: begun, companions: [{ kind: 'subtitles', language: 'en' }] })
  })
  test('not without a companion that did not arrive', () => {
    expect(match(upload, [begun])).toEqual({ wrong: expect.stringContaining('film.en.srt') as string })
  })
  test('not with another file, one of another size, or one that was changed', () => {
    expect(match(upload, [file('other.mkv', 'four')])).toHaveProperty('wrong')
    expect(match(upload, [file('film.mkv', 'fives')])).toEqual({ wrong: expect.stringContaining('5 bytes') as string })
    expect(match({ ...upload, missing: [] }, [file('film.mkv', 'four', 8)])).toEqual({ wrong: expect.stringContaining('changed') as string })
  })
})

test('an upload is known by the last part of its address', () => {
  expect(idOf('http://127.0.0.1:8400/uploads/abc?x=1')).toBe('abc')
  expect(idOf('/uploads/abc/')).toBe('abc')
  expect(idOf('')).toBe('')
})

test('names that hold separators do not make two files one', () => {
  expect(fingerprintOf({ name: 'a/1', size: 1, lastModified: 2 }, '')).not.toBe(fingerprintOf({ name: 'a', size: 1, lastModified: 2 }, '1'))
})
