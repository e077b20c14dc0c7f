/** Who watches? The profiles of the account, to choose, to add and to change. */
import { type ReactElement, useState } from 'react'
import { chooseProfile } from '../api/account'
import type { Me, Profile } from '../api/types'
import { Avatar } from '../design/Avatar'
import { Icon } from '../design/icons'
import { Problem } from '../design/Problem'
import { useDeed } from '../design/useDeed'
import { goInstead, safeNext, useSearch } from '../router'
import { session } from '../session/me'
import { Entrance } from '../shell/Entrance'
import { ProfileForm } from './ProfileForm'

const MOST_PROFILES = 5

export default function ProfilesPage({ me }: { me: Me }): ReactElement {
  const next = safeNext(useSearch())
  const [managing, setManaging] = useState(false)
  const [form, setForm] = useState<Profile | 'new' | null>(null)
  const { busy, problem, run } = useDeed()
  const choose = (profile: Profile): void => {
    if (managing) {
      setForm(profile)
      return
    }
    run(() => chooseProfile(profile.id), async (answer) => {
      await session.take(answer)
      goInstead(next === '/profiles' ? '/' : next)
    })
  }
  return (
    <Entrance title={managing ? 'Manage profiles' : 'Who’s watching?'} wide>
      <ul className="profiles" data-spatial>
        {me.profiles.map((profile) => (
          <li key={profile.id}>
            <button type="button" className="profile" disabled={busy} onClick={() => choose(profile)}>
              <span className="profile-picture">
                <Avatar avatar={profile.avatar} name={profile.name} />
                {managing && <span className="profile-edit"><Icon name="edit" /></span>}
              </span>
              <span className="profile-name">{managing && <span className="visually-hidden">Change </span>}{profile.name}</span>
              {profile.kids && <span className="profile-kids">Kids</span>}
            </button>
          </li>
        ))}
        {me.profiles.length < MOST_PROFILES && (
          <li>
            <button type="button" className="profile" onClick={() => setForm('new')}>
              <span className="profile-picture profile-add"><Icon name="plus" /></span>
              <span className="profile-name">Add profile</span>
            </button>
          </li>
        )}
      </ul>
      <Problem words={problem} />
      <p className="stack"><button type="button" className="button" onClick={() => setManaging(!managing)}>{managing ? 'Done' : 'Manage profiles'}</button></p>
      {form !== null && <ProfileForm profile={form === 'new' ? null : form} last={me.profiles.length === 1} close={() => setForm(null)} />}
    </Entrance>
  )
}
