/** One profile: its name and picture, for whom it is, and the languages that it watches in. */
import { type ReactElement, type SubmitEvent, useId, useState } from 'react'
import { addProfile, changeProfile, deleteProfile } from '../api/account'
import type { Profile, ProfileWords } from '../api/types'
import { AVATARS, Avatar } from '../design/Avatar'
import { Dialog } from '../design/Dialog'
import { Choice, Field, Switch } from '../design/Field'
import { Problem } from '../design/Problem'
import { useDeed } from '../design/useDeed'
import { session } from '../session/me'
import { LANGUAGES, languageName } from '../words/languages'

/** A kids' profile sees nothing for older ones. */
const KIDS_LIMIT = 12
const LIMITS = [6, 12, 16]

function fresh(): ProfileWords {
  const language = navigator.language.split('-')[0] ?? 'en'
  return { name: '', avatar: AVATARS[Math.floor(Math.random() * AVATARS.length)] ?? 'amber', kids: false, maturityLimit: 0, language, audioLanguage: language, subtitleLanguage: '', autoplayNext: true }
}

export function ProfileForm({ profile, last, close }: { profile: Profile | null; last: boolean; close: () => void }): ReactElement {
  const [words, setWords] = useState<ProfileWords>(() => profile ?? fresh())
  const [deleting, setDeleting] = useState(false)
  const { busy, problemBeside, run, wrong } = useDeed()
  const group = useId()
  const change = (by: Partial<ProfileWords>): void => setWords({ ...words, ...by })
  const ended = async (): Promise<void> => {
    await session.ask()
    close()
  }
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    const { name, avatar, kids, maturityLimit, language, audioLanguage, subtitleLanguage, autoplayNext } = words
    const told: ProfileWords = { name: name.trim(), avatar, kids, maturityLimit, language, audioLanguage, subtitleLanguage, autoplayNext }
    run(() => (profile ? changeProfile(profile.id, told) : addProfile(told)), ended)
  }
  const kids = (on: boolean): void => change({ kids: on, maturityLimit: on ? Math.min(words.maturityLimit || KIDS_LIMIT, KIDS_LIMIT) : 0 })
  const languages = (current: string): readonly string[] => (current === '' || LANGUAGES.includes(current) ? LANGUAGES : [current, ...LANGUAGES])
  return (
    <Dialog title={profile ? `Change ${profile.name}` : 'Add a profile'} close={close}>
      <form className="form" onSubmit={submit}>
        <Field label="Name" required maxLength={40} autoFocus value={words.name} wrong={wrong('name')} onChange={(event) => change({ name: event.currentTarget.value })} />
        <fieldset className="avatars">
          <legend>Picture</legend>
          {AVATARS.map((avatar) => (
            <label key={avatar} className="avatar-choice" data-chosen={avatar === words.avatar}>
              <input type="radio" name={group} value={avatar} aria-label={avatar} checked={avatar === words.avatar} onChange={() => change({ avatar })} />
              <Avatar avatar={avatar} name={words.name} />
            </label>
          ))}
        </fieldset>
        <Switch label="For kids" hint="Shows only what is fit for children." checked={words.kids} onChange={(event) => kids(event.currentTarget.checked)} />
        <Choice label="Shows titles for" value={words.maturityLimit} wrong={wrong('maturityLimit')} onChange={(event) => change({ maturityLimit: Number(event.currentTarget.value) })}>
          {!words.kids && <option value={0}>Everyone and every age</option>}
          {LIMITS.filter((limit) => !words.kids || limit <= KIDS_LIMIT).map((limit) => <option key={limit} value={limit}>Ages up to {limit}</option>)}
          {words.maturityLimit !== 0 && !LIMITS.includes(words.maturityLimit) && <option value={words.maturityLimit}>Ages up to {words.maturityLimit}</option>}
        </Choice>
        <div className="pair">
          <Choice label="Sound in" value={words.audioLanguage} wrong={wrong('audioLanguage')} onChange={(event) => change({ audioLanguage: event.currentTarget.value })}>
            {languages(words.audioLanguage).map((tag) => <option key={tag} value={tag} lang={tag}>{languageName(tag)}</option>)}
          </Choice>
          <Choice label="Subtitles in" value={words.subtitleLanguage} wrong={wrong('subtitleLanguage')} onChange={(event) => change({ subtitleLanguage: event.currentTarget.value })}>
            <option value="">None</option>
            {languages(words.subtitleLanguage).map((tag) => <option key={tag} value={tag} lang={tag}>{languageName(tag)}</option>)}
          </Choice>
        </div>
        <Choice label="Names and headings in" value={words.language} wrong={wrong('language')} onChange={(event) => change({ language: event.currentTarget.value })}>
          {languages(words.language).map((tag) => <option key={tag} value={tag} lang={tag}>{languageName(tag)}</option>)}
        </Choice>
        <Switch label="Play the next episode by itself" checked={words.autoplayNext} onChange={(event) => change({ autoplayNext: event.currentTarget.checked })} />
        <Problem words={problemBeside('name', 'maturityLimit', 'language', 'audioLanguage', 'subtitleLanguage')} />
        <p className="form-deeds">
          <button type="submit" className="button primary" disabled={busy}>Save</button>
          <button type="button" className="button" onClick={close}>Cancel</button>
          <span className="spread" />
          {profile && !last && !deleting && <button type="button" className="button danger" onClick={() => setDeleting(true)}>Delete profile</button>}
        </p>
        {profile && deleting && (
          <p className="form-deeds" role="group" aria-label={`Delete ${profile.name}?`}>
            <span>Its history and list go with it.</span>
            <button type="button" className="button danger" autoFocus disabled={busy} onClick={() => run(() => deleteProfile(profile.id), ended)}>Delete for good</button>
            <button type="button" className="button" onClick={() => setDeleting(false)}>Keep</button>
          </p>
        )}
      </form>
    </Dialog>
  )
}
