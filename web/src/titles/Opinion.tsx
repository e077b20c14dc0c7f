/** What the profile says of a title: its list, its thumbs. Left out where nothing of that is known. */
import { type ReactElement, useState } from 'react'
import { setListed, setThumb } from '../api/browse'
import type { Thumb, TitlePage } from '../api/types'
import { Icon, type IconName } from '../design/icons'
import { Problem } from '../design/Problem'
import { useDeed } from '../design/useDeed'

const THUMBS: readonly { thumb: Exclude<Thumb, 'none'>; icon: IconName; words: string }[] = [
  { thumb: 'down', icon: 'down', words: 'Not for me' },
  { thumb: 'up', icon: 'up', words: 'I like it' },
  { thumb: 'love', icon: 'love', words: 'I love it' },
]

export function Opinion({ title }: { title: TitlePage }): ReactElement | null {
  const [listed, setOnList] = useState(title.listed ?? false)
  const [said, setSaid] = useState<Thumb>(title.thumb ?? 'none')
  const { problem, run } = useDeed()
  // The ratings do not answer, or nobody is known to speak for.
  if (typeof title.listed !== 'boolean' && !title.thumb) return null
  const toggleList = (): void => {
    setOnList(!listed)
    run(() => setListed(title.id, !listed).catch((error: unknown) => {
      setOnList(listed)
      throw error
    }))
  }
  const say = (thumb: Thumb): void => {
    const wanted = thumb === said ? 'none' : thumb
    setSaid(wanted)
    run(() => setThumb(title.id, wanted).catch((error: unknown) => {
      setSaid(said)
      throw error
    }))
  }
  return (
    <>
      <div className="opinion" data-spatial>
        <button type="button" className="round-button" aria-pressed={listed} onClick={toggleList}><Icon name={listed ? 'check' : 'plus'} /> <span>My list</span></button>
        <span className="thumbs" role="group" aria-label="What do you think?">
          {THUMBS.map(({ thumb, icon, words }) => (
            <button key={thumb} type="button" className="round-button" aria-label={words} title={words} aria-pressed={said === thumb} onClick={() => say(thumb)}><Icon name={icon} /></button>
          ))}
        </span>
      </div>
      <Problem words={problem} />
    </>
  )
}
