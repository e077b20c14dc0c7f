/** Plans as a person compares them. */
import type { Plan } from '../api/types'

/** "Full HD", "4K" */
export function pictureOf(maxHeight: number): string {
  if (maxHeight === 0 || maxHeight >= 2160) return '4K'
  if (maxHeight >= 1080) return 'Full HD'
  return maxHeight >= 720 ? 'HD' : 'Standard definition'
}

/** What a plan gives, in lines. */
export function giftsOf(plan: Plan): string[] {
  const screens = plan.streams === 1 ? 'One screen at a time' : `${plan.streams} screens at a time`
  return [`${pictureOf(plan.maxHeight)} picture`, screens, 'Every film and series', 'Cancel at any time']
}

/** "7 days free, then" */
export const trialOf = (plan: Plan): string => (plan.trialDays > 0 ? `${plan.trialDays} ${plan.trialDays === 1 ? 'day' : 'days'} free` : '')
