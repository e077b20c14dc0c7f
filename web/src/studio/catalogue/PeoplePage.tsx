/** Those who made the films. */
import { type ReactElement, type SubmitEvent, useState } from 'react'
import { listPeople, putPerson } from '../../api/studio'
import type { Person } from '../../api/types'
import { useAnswer } from '../../api/useAnswer'
import { Dialog } from '../../design/Dialog'
import { Field, TextField } from '../../design/Field'
import { Problem } from '../../design/Problem'
import { useDeed } from '../../design/useDeed'
import { Asked, Desk, TableWindow } from '../Desk'
import { slugOf } from './slug'

const NOBODY: Person = { id: '', name: '', biography: '', born: '', revision: 0 }

export default function PeoplePage(): ReactElement {
  const [answer, again] = useAnswer(listPeople)
  const [query, setQuery] = useState('')
  const [person, setPerson] = useState<Person | null>(null)
  const wanted = query.trim().toLocaleLowerCase()
  const close = (): void => {
    setPerson(null)
    again()
  }
  return (
    <Desk title="People" deeds={<button type="button" className="button primary" onClick={() => setPerson(NOBODY)}>Add a person</button>}>
      <input className="desk-find" type="search" aria-label="Find a person" placeholder="Name" value={query} onChange={(event) => setQuery(event.currentTarget.value)} />
      <Asked answer={answer} again={again} what="the people">
        {(people) => (
          <TableWindow label="People">
            <thead><tr><th scope="col">Name</th><th scope="col">Born</th><th scope="col">Biography</th></tr></thead>
            <tbody>
              {people.filter(({ name }) => name.toLocaleLowerCase().includes(wanted)).slice(0, 300).map((each) => (
                <tr key={each.id}>
                  <th scope="row"><button type="button" className="textual" onClick={() => setPerson(each)}>{each.name}</button></th>
                  <td>{each.born}</td>
                  <td className="clipped">{each.biography}</td>
                </tr>
              ))}
            </tbody>
          </TableWindow>
        )}
      </Asked>
      {person && <PersonForm key={person.id} stored={person} close={close} />}
    </Desk>
  )
}

function PersonForm({ stored, close }: { stored: Person; close: () => void }): ReactElement {
  const [person, setPerson] = useState(stored)
  const { busy, problemBeside, run, wrong } = useDeed()
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    run(() => putPerson({ ...person, id: person.id === '' ? slugOf(person.name) : person.id }), close)
  }
  return (
    <Dialog title={stored.id === '' ? 'Add a person' : stored.name} close={close}>
      <form className="form" onSubmit={submit}>
        <Field label="Name" required autoFocus maxLength={200} value={person.name} wrong={wrong('name')} onChange={(event) => setPerson({ ...person, name: event.currentTarget.value })} />
        <Field label="Born" type="date" value={person.born} wrong={wrong('born')} onChange={(event) => setPerson({ ...person, born: event.currentTarget.value })} />
        <TextField label="Biography" rows={5} maxLength={4000} value={person.biography} wrong={wrong('biography')} onChange={(event) => setPerson({ ...person, biography: event.currentTarget.value })} />
        <Problem words={problemBeside('name', 'born', 'biography')} />
        <p className="form-deeds"><button type="submit" className="button primary" disabled={busy}>Save</button><button type="button" className="button" onClick={close}>Cancel</button></p>
      </form>
    </Dialog>
  )
}
