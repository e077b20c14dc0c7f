/** A whole catalogue in or out: first it is said what an import would do, then it is done, all of it or nothing. */
import { type ReactElement, useState } from 'react'
import { exportAddress, importCatalog } from '../../api/studio'
import type { ImportAnswer } from '../../api/types'
import { Dialog } from '../../design/Dialog'
import { Choice, Field } from '../../design/Field'
import { Done, Problem } from '../../design/Problem'
import { useDeed } from '../../design/useDeed'
import { TableWindow } from '../Desk'

const FORMATS = { csv: 'CSV', json: 'JSON', tmdb: 'TMDB’s export' }

export function ImportExport({ changed, close }: { changed: () => void; close: () => void }): ReactElement {
  const [format, setFormat] = useState('csv')
  const [file, setFile] = useState<File | null>(null)
  const [tried, setTried] = useState<ImportAnswer | null>(null)
  const [done, setDone] = useState('')
  const { busy, problem, run } = useDeed()
  const choose = (chosen: File | null): void => {
    setFile(chosen)
    setTried(null)
    setDone('')
    if (chosen?.name.endsWith('.json')) setFormat('json')
    if (chosen?.name.endsWith('.csv')) setFormat('csv')
  }
  const send = (dry: boolean): void => {
    if (!file) return
    run(() => importCatalog(format, file, dry), (answer) => {
      setTried(answer)
      if (dry || answer.problems.length > 0) return
      setDone(`Imported: ${counts(answer)}.`)
      setFile(null)
      changed()
    })
  }
  const ready = tried !== null && tried.problems.length === 0 && done === ''
  return (
    <Dialog title="Import or export" close={close}>
      <p className="row">
        Export as
        {(['csv', 'json'] as const).map((each) => <a key={each} className="button small" href={exportAddress(each)} download={`catalogue.${each}`}>{FORMATS[each]}</a>)}
      </p>
      <form className="form" onSubmit={(event) => { event.preventDefault(); send(!ready) }}>
        <Field label="File to import" type="file" accept=".csv,.json,.ndjson,.gz,text/csv,application/json" onChange={(event) => choose(event.currentTarget.files?.[0] ?? null)} />
        <Choice label="Format" value={format} onChange={(event) => { setFormat(event.currentTarget.value); setTried(null) }}>
          {Object.entries(FORMATS).map(([value, words]) => <option key={value} value={value}>{words}</option>)}
        </Choice>
        <Problem words={problem} />
        {tried && done === '' && <p role="status">{tried.problems.length > 0 ? `Nothing was imported: ${tried.problems.length} things are wrong.` : `It would make ${counts(tried)}.`}</p>}
        {tried && tried.problems.length > 0 && (
          <TableWindow label="What is wrong">
            <thead><tr><th scope="col">Line</th><th scope="col">Field</th><th scope="col">Why</th></tr></thead>
            <tbody>{tried.problems.slice(0, 100).map(({ line, field, reason }) => <tr key={`${line} ${field}`}><td>{line}</td><td>{field}</td><td>{reason}</td></tr>)}</tbody>
          </TableWindow>
        )}
        <Done words={done} />
        <p className="form-deeds"><button type="submit" className="button primary" disabled={busy || !file}>{ready ? 'Import' : 'Check the file'}</button></p>
      </form>
    </Dialog>
  )
}

const counts = ({ added, changed, unchanged }: ImportAnswer): string => `${added} new, ${changed} changed, ${unchanged} as they were`
