/** The viewer's application and the studio, in one page. */
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Application } from './Application'
import './design/base.css'
import './design/shell.css'
import './design/rows.css'
import './design/title.css'
import './design/forms.css'
import { keepOffline } from './offline/register'
import { pageAt } from './router'
import { session } from './session/me'
import { fetchPlayer } from './titles/playerModule'

void session.ask()
// Whoever comes straight to a film needs the player's code first of all.
if (pageAt(window.location.pathname).name === 'title') void fetchPlayer().catch(() => undefined)

const root = document.getElementById('root')
if (root) createRoot(root).render(<StrictMode><Application /></StrictMode>)
keepOffline()
