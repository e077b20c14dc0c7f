/** Which page is shown, and to whom. */
import { type ReactElement, Suspense, lazy } from 'react'
import type { Me } from './api/types'
import { Notice } from './design/Notice'
import { HomePage } from './home/HomePage'
import { useRemote } from './navigation/useRemote'
import { type Page, Link, pageAt, usePath } from './router'
import { mayStudio, session, useKnown } from './session/me'
import { Footer } from './shell/Footer'
import { Header } from './shell/Header'
import { OfflineNotice } from './shell/OfflineNotice'
import { SignInFirst } from './shell/SignInFirst'
import { TitlePage } from './titles/TitlePage'

const AccountPage = lazy(() => import('./account/AccountPage'))
const ForgotPage = lazy(() => import('./account/ForgotPage'))
const MyListPage = lazy(() => import('./titles/MyListPage'))
const PlansPage = lazy(() => import('./account/PlansPage'))
const ProfilesPage = lazy(() => import('./account/ProfilesPage'))
const ResetPage = lazy(() => import('./account/ResetPage'))
const SearchPage = lazy(() => import('./search/SearchPage'))
const SignInPage = lazy(() => import('./account/SignInPage'))
const SignUpPage = lazy(() => import('./account/SignUpPage'))
const StudioApplication = lazy(() => import('./studio/StudioApplication'))
const TvPage = lazy(() => import('./account/TvPage'))
const VerifyPage = lazy(() => import('./account/VerifyPage'))
const WelcomePage = lazy(() => import('./home/WelcomePage'))

const STUDIO: readonly Page['name'][] = ['studio', 'room', 'workflow', 'inspection']
/** Pages on which nothing should lead away from what is asked. */
const PLAIN: readonly Page['name'][] = ['signIn', 'signUp', 'verify', 'forgot', 'reset', 'plans', 'profiles']

export function Application(): ReactElement {
  const path = usePath()
  const page = pageAt(path)
  useRemote()
  return (
    <>
      <a className="skip" href="#content">Skip to content</a>
      <Header page={page} plain={PLAIN.includes(page.name)} />
      <OfflineNotice />
      <Suspense fallback={<main id="content" className="page" aria-busy="true" />}>
        <Shown page={page} />
      </Suspense>
      <Footer />
    </>
  )
}

function Shown({ page }: { page: Page }): ReactElement | null {
  const known = useKnown()
  // A film does not wait to know who watches: the gateway knows.
  if (page.name === 'title') return <TitlePage key={page.id} id={page.id} />
  if (STUDIO.includes(page.name)) return <Studio page={page} />
  if (known.state === 'waiting') return <main id="content" className="page" aria-busy="true" />
  if (known.state === 'failed') {
    return (
      <main id="content" className="page">
        <Notice title="Matinee can’t be reached" again={() => void session.ask()}>{known.reason}</Notice>
      </main>
    )
  }
  return <For me={known.me} page={page} />
}

/** The studio guards itself where it has a password; where there are accounts, it is for those with a part in it. */
function Studio({ page }: { page: Page }): ReactElement {
  const known = useKnown()
  if (known.state === 'here' && !mayStudio(known.me)) {
    return (
      <main id="content" className="page">
        <Notice title="The studio is for those who run this house">
          {known.me.signedIn ? 'Ask an administrator to give your account a part in it.' : <Link href="/sign-in?next=/studio">Sign in</Link>}
        </Notice>
      </main>
    )
  }
  return <StudioApplication page={page} />
}

function For({ me, page }: { me: Me; page: Page }): ReactElement {
  const stranger = me.mode === 'members' && !me.signedIn
  const nobody = me.signedIn && me.profile === null
  switch (page.name) {
    case 'signIn': return <SignInPage />
    case 'signUp': return <SignUpPage />
    case 'verify': return <VerifyPage />
    case 'forgot': return <ForgotPage />
    case 'reset': return <ResetPage />
    case 'plans': return me.signedIn ? <PlansPage me={me} /> : <SignInFirst why="choose a plan" />
    case 'profiles': return me.signedIn ? <ProfilesPage me={me} /> : <SignInFirst why="choose a profile" />
    case 'account': return me.signedIn ? <AccountPage me={me} /> : <SignInFirst why="see your account" />
    case 'tv': return me.signedIn ? <TvPage /> : <SignInFirst why="connect a television" />
    case 'home':
      if (stranger) return <WelcomePage />
      return nobody ? <ProfilesPage me={me} /> : <HomePage me={me} />
    case 'search': return stranger ? <SignInFirst why="search" /> : <SearchPage />
    case 'myList': return stranger ? <SignInFirst why="see your list" /> : <MyListPage />
    default:
      return (
        <main id="content" className="page">
          <Notice title="There is no such page">Go to <Link href="/">all films</Link>.</Notice>
        </main>
      )
  }
}
