/** The studio: its rooms, and the way between them. */
import { type ReactElement, Suspense, lazy } from 'react'
import '../design/studio.css'
import '../design/desk.css'
import type { Page, StudioRoom } from '../router'
import { StudioWays } from './StudioWays'

const AccountsPage = lazy(() => import('./accounts/AccountsPage'))
const AccountRecord = lazy(() => import('./accounts/AccountRecord'))
const CataloguePage = lazy(() => import('./catalogue/CataloguePage'))
const InspectionPage = lazy(() => import('./InspectionPage'))
const LedgerPage = lazy(() => import('./money/LedgerPage'))
const ModelsPage = lazy(() => import('./ModelsPage'))
const PeoplePage = lazy(() => import('./catalogue/PeoplePage'))
const PlansPage = lazy(() => import('./money/PlansPage'))
const QualityPage = lazy(() => import('./quality/QualityPage'))
const SearchIndexPage = lazy(() => import('./SearchIndexPage'))
const StudioPage = lazy(() => import('./StudioPage'))
const TitleEditor = lazy(() => import('./catalogue/TitleEditor'))
const TracePage = lazy(() => import('./traces/TracePage'))
const TracesPage = lazy(() => import('./traces/TracesPage'))
const WorkflowPage = lazy(() => import('./WorkflowPage'))

export default function StudioApplication({ page }: { page: Page }): ReactElement {
  return (
    <div className="studio-frame">
      <StudioWays here={page.name === 'room' ? page.room : 'films'} />
      <Suspense fallback={<main id="content" className="page" aria-busy="true" />}>
        {page.name === 'studio' && <StudioPage />}
        {page.name === 'workflow' && <WorkflowPage key={page.id} id={page.id} />}
        {page.name === 'inspection' && <InspectionPage key={page.title} title={page.title} />}
        {page.name === 'room' && <Room room={page.room} id={page.id} />}
      </Suspense>
    </div>
  )
}

function Room({ room, id }: { room: StudioRoom; id: string | null }): ReactElement {
  switch (room) {
    case 'catalogue': return id === null ? <CataloguePage /> : <TitleEditor key={id} id={id} />
    case 'people': return <PeoplePage />
    case 'accounts': return id === null ? <AccountsPage /> : <AccountRecord key={id} id={id} />
    case 'plans': return <PlansPage />
    case 'ledger': return <LedgerPage />
    case 'quality': return <QualityPage />
    case 'traces': return id === null ? <TracesPage /> : <TracePage key={id} trace={id} />
    case 'models': return <ModelsPage />
    case 'search': return <SearchIndexPage />
  }
}
