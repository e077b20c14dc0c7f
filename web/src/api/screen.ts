/** Which kind of screen this is: each has a shape of its own at the gateway. */

export type ScreenKind = 'web' | 'mobile' | 'tv'

const TELEVISIONS = /\b(SMART-TV|SmartTV|Tizen|Web0S|webOS|BRAVIA|NetCast|HbbTV|CrKey|AFT[A-Z]|GoogleTV|Android TV|AppleTV|Roku|VIDAA)/i

/** By what the browser says of itself. */
export function screenOf(userAgent: string): ScreenKind {
  if (TELEVISIONS.test(userAgent)) return 'tv'
  return /\bMobi/.test(userAgent) ? 'mobile' : 'web'
}

export const screenKind = (): ScreenKind => screenOf(navigator.userAgent)

/** As its owner finds it among the devices: "Firefox on Linux". */
export function screenName(userAgent: string): string {
  const browser = ['Edg', 'OPR', 'Firefox', 'Chrome', 'Safari'].find((name) => userAgent.includes(`${name}/`)) ?? 'Browser'
  const system = ['Tizen', 'Web0S', 'Android', 'iPhone', 'iPad', 'Windows', 'Mac OS', 'CrOS', 'Linux'].find((name) => userAgent.includes(name))
  const called = { Edg: 'Edge', OPR: 'Opera' }[browser] ?? browser
  return system ? `${called} on ${system === 'Web0S' ? 'webOS' : system}` : called
}
