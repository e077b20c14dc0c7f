/** Films on their way in: those of this page with their controls, those that were interrupted, and those of others. */
import { type ReactElement, useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { listUploads, reasonOf } from '../api/client'
import type { UnfinishedUpload } from '../api/types'
import { ProgressBar } from '../design/ProgressBar'
import { Link, workflowPath } from '../router'
import { bytes, percent, rate } from '../words/amounts'
import { length } from '../words/time'
import { FilmUpload } from './filmUpload'
import { type Interrupted, discard, interruptedUploads, match } from './interrupted'
import { type UploadState, rateOf, secondsLeft } from './uploadState'
import { uploads } from './uploads'

/** How often the service is asked what else comes in. */
const ASK_MS = 4000

interface Elsewhere {
  interrupted: Interrupted[]
  others: UnfinishedUpload[]
  offsets: Map<string, number>
}

export function UploadList(): ReactElement | null {
  const own = useSyncExternalStore(uploads.subscribe, uploads.snapshot)
  const [elsewhere, ask] = useElsewhere()
  const mine = new Set(own.map((upload) => upload.id))
  const interrupted = elsewhere.interrupted.filter(({ id }) => !mine.has(id))
  const known = new Set([...mine, ...interrupted.map(({ id }) => id)])
  const others = elsewhere.others.filter(({ id }) => !known.has(id))
  if (own.length + interrupted.length + others.length === 0) return null
  return (
    <section aria-labelledby="uploads-title" className="uploads">
      <h2 id="uploads-title">Coming in</h2>
      <ul>
        {own.map((upload) => <OwnUpload key={upload.key} upload={upload} />)}
        {interrupted.map((upload) => <InterruptedUpload key={upload.id} upload={upload} offset={elsewhere.offsets.get(upload.id)} changed={ask} />)}
        {others.map((upload) => <OtherUpload key={upload.id} upload={upload} changed={ask} />)}
      </ul>
    </section>
  )
}

/** What the browser's storage and the service know beside this page's own uploads; asked for again and again. */
function useElsewhere(): [Elsewhere, () => void] {
  const [elsewhere, setElsewhere] = useState<Elsewhere>({ interrupted: [], others: [], offsets: new Map() })
  const ask = useCallback(() => {
    // The service may be away: what the browser remembers is shown all the same.
    const served = listUploads().catch((): UnfinishedUpload[] => [])
    void Promise.all([interruptedUploads(), served]).then(([interrupted, all]) => {
      const others = all.filter(({ finished, metadata }) => !finished && metadata.for === undefined)
      setElsewhere({ interrupted, others, offsets: new Map(all.map(({ id, offset }) => [id, offset])) })
    })
  }, [])
  useEffect(() => {
    ask()
    const timer = window.setInterval(() => {
      if (document.visibilityState === 'visible') ask()
    }, ASK_MS)
    return () => window.clearInterval(timer)
  }, [ask])
  return [elsewhere, ask]
}

/** "412 MB of 1.20 GB, 12.3 MB/s, 1 min 4 s left" */
export function amounts(state: UploadState): string {
  const parts = [`${bytes(state.sent)} of ${bytes(state.size)}`]
  const speed = rateOf(state)
  const left = secondsLeft(state)
  if (speed !== null) parts.push(rate(speed))
  if (left !== null && state.sent < state.size) parts.push(`${length(left)} left`)
  return parts.join(', ')
}

const WORDS = { sending: 'Sending', reconnecting: 'Waiting for the service', paused: 'Paused', failed: 'Stopped', done: 'Arrived', aborted: 'Aborted' }

function OwnUpload({ upload }: { upload: FilmUpload }): ReactElement {
  const state = useSyncExternalStore(upload.subscribe, upload.snapshot)
  const { phase, problem, advice } = state
  const share = state.size === 0 ? 0 : state.sent / state.size
  const ended = phase === 'done' || phase === 'aborted'
  const tone = phase === 'failed' ? 'bad' : phase === 'done' ? 'good' : 'calm'
  // Tenths are enough to be told aloud.
  const said = `${upload.name}: ${WORDS[phase]}${phase === 'sending' ? `, ${Math.floor(share * 10) * 10} %` : ''}`
  return (
    <li className="coming" data-phase={phase}>
      <header>
        <h3>{upload.name}</h3>
        <span className="coming-state">{WORDS[phase]} {!ended && percent(Math.min(share, 0.999))}</span>
      </header>
      <p className="visually-hidden" aria-live="polite">{said}</p>
      <ProgressBar share={share} label={`Upload of ${upload.name}`} tone={tone} />
      <p className="soft">{upload.master.name}: {amounts(state)}</p>
      {problem && <p className="problem" role={phase === 'failed' ? 'alert' : 'status'}>{problem} {advice}</p>}
      <div className="row">
        {(phase === 'sending' || phase === 'reconnecting') && <button type="button" className="button small" onClick={() => upload.pause()}>Pause</button>}
        {(phase === 'paused' || phase === 'failed') && <button type="button" className="button small primary" onClick={() => upload.resume()}>Resume</button>}
        {phase === 'done' && <Link className="button small primary" href={workflowPath(`onboard-${upload.id}`)}>Watch its workflow</Link>}
        {!ended && <Abort name={upload.name} sent={state.sent} abort={() => upload.abort()} />}
        {ended && <button type="button" className="button small" onClick={() => uploads.dismiss(upload)}>Dismiss</button>}
      </div>
    </li>
  )
}

function InterruptedUpload({ upload, offset, changed }: { upload: Interrupted; offset: number | undefined; changed: () => void }): ReactElement {
  const input = useRef<HTMLInputElement>(null)
  const [wrong, setWrong] = useState('')
  const resume = (files: File[]): void => {
    const found = match(upload, files)
    if ('wrong' in found) {
      setWrong(found.wrong)
      return
    }
    uploads.add(new FilmUpload(found.master, found.companions, null, upload.previous))
  }
  const names = [upload.name, ...upload.missing.map(({ name }) => name)]
  return (
    <li className="coming" data-phase="interrupted">
      <header>
        <h3>{upload.title}</h3>
        <span className="coming-state">Interrupted</span>
      </header>
      {offset !== undefined && <ProgressBar share={upload.size === 0 ? 0 : offset / upload.size} label={`Upload of ${upload.title}`} />}
      <p className="soft">
        {offset === undefined ? bytes(upload.size) : `${bytes(offset)} of ${bytes(upload.size)} are safe.`} To go on, choose {names.join(' and ')} again.
      </p>
      {wrong && <p className="problem" role="alert">{wrong}</p>}
      <div className="row">
        <input
          ref={input}
          className="visually-hidden"
          type="file"
          multiple={upload.missing.length > 0}
          tabIndex={-1}
          aria-label={`The same file as before: ${upload.name}`}
          onChange={(event) => {
            resume([...(event.currentTarget.files ?? [])])
            event.currentTarget.value = ''
          }}
        />
        <button type="button" className="button small primary" onClick={() => input.current?.click()}>Choose the file again</button>
        <Abort name={upload.title} sent={offset ?? 0} abort={() => discard(upload.id).then(changed)} />
      </div>
    </li>
  )
}

function OtherUpload({ upload, changed }: { upload: UnfinishedUpload; changed: () => void }): ReactElement {
  const name = upload.metadata.title ?? upload.metadata.filename ?? upload.id
  return (
    <li className="coming" data-phase="elsewhere">
      <header>
        <h3>{name}</h3>
        <span className="coming-state">Sent from elsewhere {percent(upload.size === 0 ? 0 : upload.offset / upload.size)}</span>
      </header>
      <ProgressBar share={upload.size === 0 ? 0 : upload.offset / upload.size} label={`Upload of ${name}`} />
      <p className="soft">{bytes(upload.offset)} of {bytes(upload.size)}</p>
      <div className="row"><Abort name={name} sent={upload.offset} abort={() => discard(upload.id).then(changed)} /></div>
    </li>
  )
}

/** Throws an upload away, after asking once. */
function Abort({ name, sent, abort }: { name: string; sent: number; abort: () => Promise<void> }): ReactElement {
  const [asking, setAsking] = useState(false)
  const [problem, setProblem] = useState('')
  if (!asking) return <button type="button" className="button small" aria-label={`Abort the upload of ${name}`} onClick={() => setAsking(true)}>Abort</button>
  const run = (): void => {
    abort().then(() => setAsking(false), (error: unknown) => setProblem(reasonOf(error)))
  }
  return (
    <span className="row" role="group" aria-label={`Abort the upload of ${name}?`}>
      <span>Throw away {bytes(sent)}?</span>
      <button type="button" className="button small danger" autoFocus onClick={run}>Throw away</button>
      <button type="button" className="button small" onClick={() => setAsking(false)}>Keep</button>
      {problem && <span className="problem" role="alert">{problem}</span>}
    </span>
  )
}
