/** Where and when a title may be watched. Without any window it is the house's own: everywhere, always. */
import { type ReactElement, useState } from 'react'
import { putWindows } from '../../api/studio'
import type { CatalogTitle, LicenceWindow } from '../../api/types'
import { Done, Problem } from '../../design/Problem'
import { useDeed } from '../../design/useDeed'
import { momentTyped, typedMoment } from '../../words/dates'
import { TERRITORIES, territoryName } from '../../words/languages'

export function WindowsEditor({ title, took }: { title: CatalogTitle; took: (title: CatalogTitle) => void }): ReactElement {
  const [windows, setWindows] = useState<LicenceWindow[]>(title.windows)
  const [saved, setSaved] = useState('')
  const { busy, problem, run } = useDeed()
  const change = (index: number, by: Partial<LicenceWindow>): void => setWindows(windows.map((each, at) => (at === index ? { ...each, ...by } : each)))
  const save = (): void => {
    setSaved('')
    run(() => putWindows(title.id, title.revision, windows), (kept) => {
      took(kept)
      setSaved('Saved.')
    })
  }
  const places = [...new Set(['*', ...TERRITORIES, ...windows.map(({ territory }) => territory)])]
  return (
    <section className="box" aria-labelledby="windows-title">
      <h2 id="windows-title">Licence windows</h2>
      {windows.length === 0 && <p className="soft">None: everywhere, always.</p>}
      <ul className="lines">
        {windows.map((window, index) => (
          <li key={index}>
            <label className="inline">Where{' '}
              <select value={window.territory} onChange={(event) => change(index, { territory: event.currentTarget.value })}>
                {places.map((code) => <option key={code} value={code}>{territoryName(code)}</option>)}
              </select>
            </label>
            <label className="inline">From (UTC) <input type="datetime-local" value={typedMoment(window.from)} onChange={(event) => change(index, { from: momentTyped(event.currentTarget.value) })} /></label>
            <label className="inline">Until (UTC) <input type="datetime-local" value={typedMoment(window.until)} onChange={(event) => change(index, { until: momentTyped(event.currentTarget.value) })} /></label>
            <button type="button" className="button small" aria-label={`Leave out window ${index + 1}`} onClick={() => setWindows(windows.filter((_, at) => at !== index))}>Leave out</button>
          </li>
        ))}
      </ul>
      <Problem words={problem} />
      <Done words={saved} />
      <p className="row">
        <button type="button" className="button small" onClick={() => setWindows([...windows, { territory: '*', from: new Date().toISOString(), until: null }])}>Add a window</button>
        <button type="button" className="button small primary" disabled={busy} onClick={save}>Save windows</button>
      </p>
    </section>
  )
}
