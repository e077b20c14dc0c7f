/** A new title begins with its name and its kind. */
import { type ReactElement, type SubmitEvent, useState } from 'react'
import { EMPTY_TITLE, putCatalogTitle } from '../../api/studio'
import type { TitleKind } from '../../api/types'
import { Dialog } from '../../design/Dialog'
import { Choice, Field } from '../../design/Field'
import { Problem } from '../../design/Problem'
import { useDeed } from '../../design/useDeed'
import { go, roomPath } from '../../router'
import { slugOf } from './slug'

export function NewTitle({ close }: { close: () => void }): ReactElement {
  const [name, setName] = useState('')
  const [id, setId] = useState('')
  const [kind, setKind] = useState<TitleKind>('movie')
  const { busy, problemBeside, run, wrong } = useDeed()
  const address = id === '' ? slugOf(name) : id
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    run(() => putCatalogTitle({ ...EMPTY_TITLE, id: address, name: name.trim(), kind, ...(kind === 'episode' ? { season: 1, episode: 1 } : {}) }), (title) => go(roomPath('catalogue', title.id)))
  }
  return (
    <Dialog title="Add a title" close={close}>
      <form className="form" onSubmit={submit}>
        <Field label="Name" required autoFocus maxLength={200} value={name} wrong={wrong('name')} onChange={(event) => setName(event.currentTarget.value)} />
        <Field label="Id" hint="Stands in addresses and stays." required maxLength={63} value={address} wrong={wrong('id')} onChange={(event) => setId(slugOf(event.currentTarget.value))} />
        <Choice label="Kind" value={kind} onChange={(event) => setKind(event.currentTarget.value as TitleKind)}>
          <option value="movie">Film</option>
          <option value="series">Series</option>
          <option value="episode">Episode</option>
        </Choice>
        <Problem words={problemBeside('name', 'id')} />
        <p className="form-deeds"><button type="submit" className="button primary" disabled={busy || address === ''}>Add</button><button type="button" className="button" onClick={close}>Cancel</button></p>
      </form>
    </Dialog>
  )
}
