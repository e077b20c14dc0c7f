/** The models that recommend: trained over what was watched, measured, and taken in use where they are no worse. */
import type { ReactElement } from 'react'
import { applyModel, listModels, trainModel } from '../api/studio'
import { useAnswer } from '../api/useAnswer'
import { Problem } from '../design/Problem'
import { useDeed } from '../design/useDeed'
import { moment } from '../words/dates'
import { length } from '../words/time'
import { Asked, Desk, TableWindow } from './Desk'

export default function ModelsPage(): ReactElement {
  const [answer, again] = useAnswer(listModels)
  const { busy, problem, run } = useDeed()
  return (
    <Desk title="Recommendations" deeds={<button type="button" className="button primary" disabled={busy} onClick={() => run(trainModel, again)}>{busy ? 'Working…' : 'Train a model'}</button>}>
      <p className="soft">Recall and NDCG are measured on plays that the training did not see; higher is better.</p>
      <Problem words={problem} />
      <Asked answer={answer} again={again} what="the models">
        {(models) => models.length === 0 ? <p className="soft" role="status">None is trained yet: rows are made of what is popular, new, and like what was watched.</p> : (
          <TableWindow label="Models">
            <thead><tr><th scope="col">Trained</th><th scope="col">In use</th><th scope="col" className="figure">Recall@20</th><th scope="col" className="figure">NDCG@100</th><th scope="col" className="figure">Factors</th><th scope="col" className="figure">Profiles</th><th scope="col" className="figure">Titles</th><th scope="col" className="figure">Plays</th><th scope="col" className="figure">Took</th></tr></thead>
            <tbody>
              {models.map((model) => (
                <tr key={model.id}>
                  <th scope="row">{moment(model.trained)} <span className="soft">{model.id}</span></th>
                  <td>{model.inUse ? <span className="state" data-tone="good">In use</span> : <button type="button" className="button small" disabled={busy} aria-label={`Use the model of ${moment(model.trained)}`} onClick={() => run(() => applyModel(model.id), again)}>Use</button>}</td>
                  <td className="figure">{model.recallAt20.toFixed(4)}</td>
                  <td className="figure">{model.ndcgAt100.toFixed(4)}</td>
                  <td className="figure">{model.factors}</td>
                  <td className="figure">{model.profiles.toLocaleString()}</td>
                  <td className="figure">{model.titles.toLocaleString()}</td>
                  <td className="figure">{model.plays.toLocaleString()}</td>
                  <td className="figure">{length(model.seconds)}</td>
                </tr>
              ))}
            </tbody>
          </TableWindow>
        )}
      </Asked>
    </Desk>
  )
}
