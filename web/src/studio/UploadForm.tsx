/** Where a film comes in: choose or drop its files, say what it is, begin. */
import { type ChangeEvent, type DragEvent, type ReactElement, type SubmitEvent, useRef, useState } from 'react'
import { bytes } from '../words/amounts'
import { type Companion, type FilmWords, type Picked, complaints, titleFrom, withFiles } from './companions'
import { FilmUpload } from './filmUpload'
import { hasFiles } from './dropping'
import { uploads } from './uploads'

const NO_WORDS: FilmWords = { title: '', titleId: '', description: '', year: '', credits: '', license: '' }
const NOTHING: Picked = { master: null, companions: [], refused: [] }

export function UploadForm(): ReactElement {
  const [picked, setPicked] = useState<Picked>(NOTHING)
  const [words, setWords] = useState(NO_WORDS)
  const [found, setFound] = useState<string[]>([])
  const [over, setOver] = useState(false)
  const input = useRef<HTMLInputElement>(null)

  const take = (files: File[]): void => {
    const next = withFiles(picked, files)
    setPicked(next)
    setFound([])
    if (next.master && words.title === '') setWords({ ...words, title: titleFrom(next.master.name) })
  }
  const drop = (event: DragEvent): void => {
    event.preventDefault()
    setOver(false)
    take([...event.dataTransfer.files])
  }
  const begin = (event: SubmitEvent): void => {
    event.preventDefault()
    const wrong = complaints(picked, words)
    setFound(wrong)
    if (wrong.length > 0 || !picked.master) return
    uploads.add(new FilmUpload(picked.master, picked.companions, words, null))
    setPicked(NOTHING)
    setWords(NO_WORDS)
  }
  const change = (changed: Companion, by: Partial<Companion>): void =>
    setPicked({ ...picked, companions: picked.companions.map((each) => (each === changed ? { ...each, ...by } : each)) })
  const without = (gone: Companion): void => setPicked({ ...picked, companions: picked.companions.filter((each) => each !== gone) })
  const field = (name: keyof FilmWords) => ({
    value: words[name],
    onChange: (event: ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) => setWords({ ...words, [name]: event.currentTarget.value }),
  })

  return (
    <form className="upload" onSubmit={begin} noValidate aria-labelledby="upload-title">
      <h2 id="upload-title">Add a film</h2>
      <div
        className="drop"
        data-over={over}
        onDragOver={(event) => {
          if (!hasFiles(event.dataTransfer)) return
          event.preventDefault()
          setOver(true)
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <input
          ref={input}
          id="upload-files"
          className="visually-hidden"
          type="file"
          multiple
          tabIndex={-1}
          aria-label="The film’s files"
          onChange={(event) => {
            take([...(event.currentTarget.files ?? [])])
            event.currentTarget.value = ''
          }}
        />
        <button type="button" className="button" onClick={() => input.current?.click()}>Choose files</button>
        <p>or drop them here: the master, subtitles (.srt, .vtt) and artwork (.jpg, .png) together.</p>
      </div>
      {picked.refused.length > 0 && <p role="alert" className="problem">{picked.refused.join('; ')}.</p>}
      {picked.master && (
        <ul className="picked" aria-label="Chosen files">
          <li>
            <span className="picked-name">{picked.master.name}</span> <span className="soft">master, {bytes(picked.master.size)}</span>
          </li>
          {picked.companions.map((companion) => (
            <PickedCompanion key={companion.file.name} companion={companion} change={(by) => change(companion, by)} remove={() => without(companion)} />
          ))}
        </ul>
      )}
      {!picked.master && picked.companions.length > 0 && <p className="soft">{picked.companions.length} companion files; the master is missing.</p>}
      <div className="fields">
        <label>Title <input type="text" required maxLength={200} {...field('title')} /></label>
        <label>Address <input type="text" placeholder="from the title" maxLength={63} autoCapitalize="none" spellCheck={false} {...field('titleId')} /></label>
        <label>Year <input type="text" inputMode="numeric" maxLength={4} {...field('year')} /></label>
        <label>Licence of the work <input type="text" placeholder="CC BY 4.0" maxLength={100} {...field('license')} /></label>
        <label className="wide">Credits <input type="text" maxLength={500} {...field('credits')} /></label>
        <label className="wide">Description <textarea rows={3} maxLength={4000} {...field('description')} /></label>
      </div>
      {found.length > 0 && (
        <ul role="alert" className="problem">
          {found.map((complaint) => <li key={complaint}>{complaint}</li>)}
        </ul>
      )}
      <button type="submit" className="button primary">Upload</button>
    </form>
  )
}

interface PickedProps {
  companion: Companion
  change: (by: Partial<Companion>) => void
  remove: () => void
}

function PickedCompanion({ companion, change, remove }: PickedProps): ReactElement {
  const { file, kind, label, language } = companion
  return (
    <li>
      <span className="picked-name">{file.name}</span> <span className="soft">{kind}, {bytes(file.size)}</span>
      {kind === 'subtitles' && (
        <>
          <label className="inline">
            Language
            <input type="text" size={6} value={language} placeholder="en" aria-label={`Language of ${file.name}`} onChange={(event) => change({ language: event.currentTarget.value.trim() })} />
          </label>
          <label className="inline">
            Label
            <input type="text" size={14} value={label} placeholder="optional" aria-label={`Label of ${file.name}`} onChange={(event) => change({ label: event.currentTarget.value })} />
          </label>
        </>
      )}
      <button type="button" className="button small" aria-label={`Leave out ${file.name}`} onClick={remove}>Leave out</button>
    </li>
  )
}
