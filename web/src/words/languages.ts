/** Languages by their own names. */

/** "English", "Deutsch"; the tag itself where it is not known, "unknown language" where there is none. */
export function languageName(tag: string | null | undefined): string {
  if (!tag || tag === 'und' || tag === 'zxx') return 'Unknown language'
  try {
    const name = new Intl.DisplayNames([tag], { type: 'language', fallback: 'code' }).of(tag) ?? tag
    return name.charAt(0).toLocaleUpperCase(tag) + name.slice(1)
  } catch {
    return tag
  }
}

/** "Germany"; "Everywhere" for "*"; the code itself where it is not known. */
export function territoryName(code: string, language?: string): string {
  if (code === '*') return 'Everywhere'
  try {
    return new Intl.DisplayNames(language ? [language] : undefined, { type: 'region', fallback: 'code' }).of(code) ?? code
  } catch {
    return code
  }
}

/** Languages that a profile can be set to, the page's own first. */
export const LANGUAGES: readonly string[] = ['en', 'de', 'fr', 'es', 'it', 'nl', 'pl', 'pt', 'sv', 'tr', 'uk', 'ja', 'ko', 'zh', 'ar', 'hi']

/** Territories that can be chosen; others can be set by an operator. */
export const TERRITORIES: readonly string[] = [
  'AT', 'AU', 'BE', 'BR', 'CA', 'CH', 'CZ', 'DE', 'DK', 'ES', 'FI', 'FR', 'GB', 'GR', 'IE', 'IN', 'IT', 'JP', 'KR', 'LU', 'MX', 'NL', 'NO', 'NZ', 'PL', 'PT',
  'SE', 'TR', 'UA', 'US', 'ZA',
]

/** The territory that the browser's languages suggest: "de-AT" says AT. */
export function likelyTerritory(languages: readonly string[]): string {
  for (const tag of languages) {
    const region = /-([A-Z]{2})\b/.exec(tag)?.[1]
    if (region) return region
  }
  return 'US'
}
