/** The inspection report, to be read. */
import type { ReactElement } from 'react'
import type { Inspection } from '../api/types'
import { type Fact, colourFacts, fileFacts, pictureFacts, soundWords, textWords } from './inspection'

export function Report({ inspection }: { inspection: Inspection }): ReactElement {
  const { audio, subtitles, video, warnings } = inspection
  return (
    <div className="report">
      {warnings.length > 0 && (
        <section className="report-warnings">
          <h3>Unusual, but it works</h3>
          <ul>{warnings.map((warning) => <li key={warning}>{warning}</li>)}</ul>
        </section>
      )}
      <Facts name="File" facts={fileFacts(inspection)} />
      <Facts name="Picture" facts={pictureFacts(video)} />
      <Facts name="Colour" facts={colourFacts(video)} />
      <Facts name="Sound" facts={audio.map(soundWords)} none="The master is silent." />
      <Facts name="Subtitles in the file" facts={subtitles.map(textWords)} none="None." />
    </div>
  )
}

function Facts({ name, facts, none }: { name: string; facts: Fact[]; none?: string }): ReactElement {
  return (
    <section>
      <h3>{name}</h3>
      {facts.length === 0 && <p>{none}</p>}
      {facts.length > 0 && (
        <dl>
          {facts.map(([term, value], index) => (
            <div key={`${term}${index}`}>
              <dt>{term}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  )
}
