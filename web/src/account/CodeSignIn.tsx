/** Sign in by a code that is typed on a device with a keyboard (RFC 8628). */
import { type ReactElement, useEffect, useState } from 'react'
import { getMe, pollDeviceCode, startDeviceCode } from '../api/account'
import { Refused, reasonOf } from '../api/ask'
import { screenKind, screenName } from '../api/screen'
import type { DeviceCode, Me } from '../api/types'
import { Problem } from '../design/Problem'
import { Entrance } from '../shell/Entrance'

type Stage = { at: 'asking' } | { at: 'waiting'; code: DeviceCode } | { at: 'over'; why: string }

const SLOWER_SECONDS = 5

export function CodeSignIn({ entered, instead }: { entered: (me: Me) => Promise<void>; instead: () => void }): ReactElement {
  const [stage, setStage] = useState<Stage>({ at: 'asking' })
  const [round, setRound] = useState(0)
  useEffect(() => {
    let timer = 0
    let gone = false
    const over = (why: string): void => {
      if (!gone) setStage({ at: 'over', why })
    }
    const poll = (code: DeviceCode, seconds: number): void => {
      timer = window.setTimeout(() => {
        pollDeviceCode(code.device_code).then(() => getMe()).then((me) => {
          if (!gone) void entered(me)
        }).catch((error: unknown) => {
          if (gone) return
          const said = error instanceof Refused ? error.code : ''
          if (said === 'authorization_pending' || (error instanceof Refused && error.status === 0)) poll(code, seconds)
          else if (said === 'slow_down') poll(code, seconds + SLOWER_SECONDS)
          else over(said === 'access_denied' ? 'The sign-in was denied on the other device.' : said === 'expired_token' ? 'The code ran out.' : reasonOf(error))
        })
      }, seconds * 1000)
    }
    startDeviceCode(screenName(navigator.userAgent), screenKind()).then(
      (code) => {
        if (gone) return
        setStage({ at: 'waiting', code })
        poll(code, Math.max(1, code.interval))
      },
      (error: unknown) => over(reasonOf(error)),
    )
    return () => {
      gone = true
      window.clearTimeout(timer)
    }
    // `entered` is of the page that shows this, which does not change it.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [round])
  const again = (): void => {
    setStage({ at: 'asking' })
    setRound(round + 1)
  }
  return (
    <Entrance title="Sign in with a code" lead={<>On your phone or computer, open <strong>{stage.at === 'waiting' ? address(stage.code) : `${window.location.host}/tv`}</strong> and type this code:</>}>
      <p className="code" aria-live="polite">{stage.at === 'waiting' ? stage.code.user_code : '····-····'}</p>
      {stage.at === 'waiting' && <p className="lead">This screen goes on by itself.</p>}
      {stage.at === 'over' && (
        <>
          <Problem words={stage.why} />
          <button type="button" className="button primary large" onClick={again}>Get a new code</button>
        </>
      )}
      <p className="aside"><button type="button" className="textual" onClick={instead}>Use your email and password</button></p>
    </Entrance>
  )
}

/** Where the code is typed, as a person types it. */
function address({ verification_uri: uri }: DeviceCode): string {
  if (!uri) return `${window.location.host}/tv`
  return new URL(uri, window.location.href).href.replace(/^https?:\/\//, '')
}
