/** Ids and lists as they are typed. */

/** An id of what was typed: "Big Buck Bunny!" becomes "big-buck-bunny". */
export function slugOf(words: string): string {
  return words.normalize('NFKD').replace(/\p{Diacritic}/gu, '').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 63)
}

/** "de, en" as two. */
export const listed = (typed: string): string[] => [...new Set(typed.split(/[,\s]+/).filter((word) => word !== ''))]

/** "4:05" or "245" in seconds; null where it is neither. */
export function secondsTyped(typed: string): number | null {
  if (typed.trim() === '') return 0
  if (!/^\d+(:\d{1,2}){0,2}(\.\d+)?$/.test(typed.trim())) return null
  return typed.trim().split(':').reduce((sum, part) => sum * 60 + Number(part), 0)
}
