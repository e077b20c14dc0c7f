/** The account: plan and payment, invoices, profiles, devices, password, and the data that is kept. */
import { type ReactElement, useEffect } from 'react'
import type { Me } from '../api/types'
import { Avatar } from '../design/Avatar'
import { Link } from '../router'
import { Devices } from './Devices'
import { Invoices } from './Invoices'
import { PlaceAndMail } from './PlaceAndMail'
import { PasswordForm } from './PasswordForm'
import { PlanSection } from './PlanSection'
import { Section } from './Section'
import { YourData } from './YourData'

export default function AccountPage({ me }: { me: Me }): ReactElement {
  useEffect(() => {
    document.title = 'Account – Matinee'
    // Sections have addresses; this page came after the address.
    if (window.location.hash.length > 1) document.getElementById(window.location.hash.slice(1))?.scrollIntoView()
  }, [])
  return (
    <main id="content" className="page account">
      <h1 className="page-title">Account</h1>
      <PlaceAndMail me={me} />
      {(me.mode === 'members' || me.subscription) && <PlanSection me={me} />}
      {(me.mode === 'members' || me.subscription) && <Invoices />}
      <Section id="profiles" title="Profiles">
        <ul className="profile-line">
          {me.profiles.map((profile) => (
            <li key={profile.id}><Avatar avatar={profile.avatar} name={profile.name} /> {profile.name}{profile.kids && <span className="soft"> (kids)</span>}</li>
          ))}
        </ul>
        <Link className="button" href="/profiles">Choose or manage profiles</Link>
      </Section>
      <Devices />
      {me.account?.hasPassword !== false && <PasswordForm />}
      <YourData />
    </main>
  )
}
