/** The viewer's application and the studio, in one page. */
import { type ReactElement, StrictMode, Suspense, lazy } from 'react'
import { createRoot } from 'react-dom/client'
import { Notice } from './design/Notice'
import './design/base.css'
import './design/titles.css'
import './design/player.css'
import './design/studio.css'
import { Link, pageAt, usePath } from './router'
import { TitlePage } from './titles/TitlePage'
import { TitlesPage } from './titles/TitlesPage'
import { fetchPlayer } from './titles/playerModule'

const StudioPage = lazy(() => import('./studio/StudioPage'))
const InspectionPage = lazy(() => import('./studio/InspectionPage'))
const WorkflowPage = lazy(() => import('./studio/WorkflowPage'))

function Application(): ReactElement {
  const page = pageAt(usePath())
  const studio = page.name === 'studio' || page.name === 'workflow' || page.name === 'inspection'
  return (
    <>
      <a className="skip" href="#content">Skip to content</a>
      <header className="top">
        <Link href="/" className="brand">
          <img src="/favicon.svg" alt="" width={26} height={26} /> Matinee
        </Link>
        <nav aria-label="Main">
          <Link href="/" aria-current={studio ? undefined : 'page'}>Films</Link>
          <Link href="/studio" aria-current={studio ? 'page' : undefined}>Studio</Link>
        </nav>
      </header>
      <Suspense fallback={<main id="content" className="page" aria-busy="true" />}>
        {page.name === 'titles' && <TitlesPage />}
        {page.name === 'title' && <TitlePage key={page.id} id={page.id} />}
        {page.name === 'studio' && <StudioPage />}
        {page.name === 'workflow' && <WorkflowPage key={page.id} id={page.id} />}
        {page.name === 'inspection' && <InspectionPage key={page.title} title={page.title} />}
        {page.name === 'lost' && (
          <main id="content" className="page">
            <Notice title="There is no such page">Go to <Link href="/">all films</Link>.</Notice>
          </main>
        )}
      </Suspense>
      <footer className="foot">
        Matinee is free software under the Apache License 2.0. <a href="/licences.txt">Licences of what it contains</a>
      </footer>
    </>
  )
}

// Whoever comes straight to a film needs the player's code first of all.
if (pageAt(window.location.pathname).name === 'title') void fetchPlayer().catch(() => undefined)

const root = document.getElementById('root')
if (root) createRoot(root).render(<StrictMode><Application /></StrictMode>)
