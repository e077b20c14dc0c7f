/** What is sold, and for how much where. */
import { type ReactElement, useState } from 'react'
import { listStudioPlans } from '../../api/studio'
import type { StudioPlan } from '../../api/types'
import { pictureOf } from '../../account/plans'
import { useAnswer } from '../../api/useAnswer'
import { territoryName } from '../../words/languages'
import { money } from '../../words/money'
import { Asked, Desk, TableWindow } from '../Desk'
import { PlanForm } from './PlanForm'

const NEW: StudioPlan = { id: '', name: '', prices: [{ territory: '*', amount: { minor: 999, currency: 'EUR' } }], maxHeight: 1080, streams: 2, trialDays: 7, offered: true, rank: 1, revision: 0 }

export default function PlansPage(): ReactElement {
  const [answer, again] = useAnswer(listStudioPlans)
  const [plan, setPlan] = useState<StudioPlan | null>(null)
  return (
    <Desk title="Plans" deeds={<button type="button" className="button primary" onClick={() => setPlan(NEW)}>Add a plan</button>}>
      <p className="soft">What was sold keeps its price until its period ends.</p>
      <Asked answer={answer} again={again} what="the plans">
        {(plans) => (
          <TableWindow label="Plans">
            <thead><tr><th scope="col">Plan</th><th scope="col">A month</th><th scope="col">Picture</th><th scope="col" className="figure">Screens</th><th scope="col" className="figure">Free days</th><th scope="col">Offered</th></tr></thead>
            <tbody>
              {plans.map((each) => (
                <tr key={each.id}>
                  <th scope="row"><button type="button" className="textual" onClick={() => setPlan(each)}>{each.name}</button> <span className="soft">{each.id}</span></th>
                  <td>{each.prices.map(({ territory, amount }) => <div key={territory}>{territoryName(territory)}: {money(amount)}</div>)}</td>
                  <td>{pictureOf(each.maxHeight)}</td>
                  <td className="figure">{each.streams}</td>
                  <td className="figure">{each.trialDays}</td>
                  <td>{each.offered ? 'Yes' : 'No'}</td>
                </tr>
              ))}
            </tbody>
          </TableWindow>
        )}
      </Asked>
      {plan && <PlanForm key={plan.id} stored={plan} close={() => setPlan(null)} saved={() => { setPlan(null); again() }} />}
    </Desk>
  )
}
