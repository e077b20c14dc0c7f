/** Why something can't be watched, in words for the viewer, and the way out. */

export interface Refusal {
  /** One sentence on what is the case. */
  what: string
  /** One sentence on what can be done. */
  advice: string
  /** Where that is done; null where nothing can be done here. */
  way: { label: string; href: string } | null
}

const REFUSALS: Record<string, Refusal> = {
  sign_in: { what: 'Sign in to watch.', advice: 'Your list and your place in every film come with you.', way: { label: 'Sign in', href: '/sign-in' } },
  no_subscription: { what: 'Choose a plan to watch.', advice: 'It takes a minute, and can be cancelled at any time.', way: { label: 'Choose a plan', href: '/plans' } },
  lapsed: { what: 'Your subscription has ended.', advice: 'Renew it to go on watching; your list and your history are still here.', way: { label: 'Renew your subscription', href: '/plans' } },
  past_due: { what: 'Your last payment did not go through.', advice: 'Change the payment method to go on watching.', way: { label: 'Change the payment method', href: '/account#payment' } },
  too_many_streams: { what: 'Your account is being watched on as many screens as your plan allows.', advice: 'Stop on another screen, or choose a plan with more.', way: { label: 'See your plan', href: '/account#plan' } },
  not_licensed_here: { what: 'This title is not available where you are.', advice: 'Its licence does not cover your country.', way: { label: 'Find something else', href: '/search' } },
  not_licensed_now: { what: 'This title is not available at the moment.', advice: 'Its licence has not begun, or it is over.', way: { label: 'Find something else', href: '/search' } },
  not_published: { what: 'This title can’t be watched yet.', advice: 'It has no film so far; come back later.', way: { label: 'Find something else', href: '/search' } },
  maturity: { what: 'This title is not for this profile.', advice: 'Its age rating is above the limit of the profile.', way: { label: 'Change profile', href: '/profiles' } },
}

/** What to say for a code of the service; `message` is its own words, for a code that is not known here. */
export function refusalFor(code: string, message: string): Refusal {
  return REFUSALS[code] ?? { what: message === '' ? 'This title can’t be watched.' : message, advice: 'Try something else, or come back later.', way: null }
}

/** Whether the code is one for which trying again is of no use. */
export const isRefusal = (code: string): boolean => code in REFUSALS
