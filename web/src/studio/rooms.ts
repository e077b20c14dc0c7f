/** The studio's rooms and whose they are. */
import type { StudioRoom } from '../router'

export interface Way {
  room: StudioRoom | 'films'
  words: string
  /** Any of these opens it; an administrator has every key. */
  roles: readonly ('studio' | 'support')[]
}

const WAYS: readonly Way[] = [
  { room: 'films', words: 'Films', roles: ['studio'] },
  { room: 'catalogue', words: 'Catalogue', roles: ['studio'] },
  { room: 'people', words: 'People', roles: ['studio'] },
  { room: 'accounts', words: 'Accounts', roles: ['support'] },
  { room: 'plans', words: 'Plans', roles: ['support'] },
  { room: 'ledger', words: 'Ledger', roles: ['support'] },
  { room: 'quality', words: 'Play quality', roles: ['studio', 'support'] },
  { room: 'traces', words: 'Traces', roles: [] },
  { room: 'models', words: 'Recommendations', roles: ['studio'] },
  { room: 'search', words: 'Search index', roles: ['studio'] },
]

/** Nobody's roles are known where the studio has a password of its own: then every way is shown. */
export function waysFor(roles: readonly string[]): Way[] {
  if (roles.length === 0 || roles.includes('admin')) return [...WAYS]
  return WAYS.filter((way) => way.roles.some((role) => roles.includes(role)))
}
