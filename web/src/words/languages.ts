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
