//! Delivering: mails that were queued with what they are about reach whoever carries them, at least once.
//!
//! Who asks for a new password is answered before anything is looked up; here it is seen whether the address has an
//! account. So the answer takes the same time for each address.

use std::time::Duration;

use futures::StreamExt;
use tokio_util::sync::CancellationToken;

use crate::error::AccountsError;
use crate::mail::{Mail, MailError, Post};
use crate::service::Desk;

const BATCH: u32 = 100;
/// Mails that are handed over at once.
const AT_ONCE: usize = 4;
/// Also how long a mail that another process queued waits at most.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The wait before a mail is tried again, doubled each time, and at most.
const AGAIN_US: i64 = 30 * 1_000_000;
const LONGEST_AGAIN_US: i64 = 3600 * 1_000_000;

/// Delivers what there is, and again when something was queued and every second, until `shutdown`.
pub(crate) async fn deliver(desk: &Desk, post: &dyn Post, shutdown: CancellationToken) {
    let mut pause = PAUSE;
    while !shutdown.is_cancelled() {
        match drain(desk, post).await {
            Ok(()) => pause = PAUSE,
            Err(error) => {
                tracing::warn!(%error, "mails can't be delivered; it is tried again in {pause:?}");
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = shutdown.cancelled() => return,
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
                continue;
            }
        }
        tokio::select! {
            () = desk.mails.notified() => {}
            () = tokio::time::sleep(PAUSE) => {}
            () = shutdown.cancelled() => {}
        }
    }
}

async fn drain(desk: &Desk, post: &dyn Post) -> Result<(), AccountsError> {
    loop {
        let asked = desk.store.asked_resets(BATCH).await?;
        for email in &asked {
            desk.answer_reset(email).await?;
        }
        let due = desk.store.due_mails(desk.clock.now_us(), BATCH).await?;
        let handed: Vec<_> = due.iter().map(|(mail, tries)| hand_over(desk, post, mail, *tries)).collect();
        let results: Vec<_> = futures::stream::iter(handed).buffer_unordered(AT_ONCE).collect().await;
        results.into_iter().collect::<Result<(), AccountsError>>()?;
        if asked.len() < BATCH as usize && due.len() < BATCH as usize {
            return Ok(());
        }
    }
}

async fn hand_over(desk: &Desk, post: &dyn Post, mail: &Mail, tries: u32) -> Result<(), AccountsError> {
    let now_us = desk.clock.now_us();
    if now_us >= mail.until_us {
        tracing::warn!(mail = mail.id, tries, "a mail was not taken in time and is given up");
        return desk.store.forget_mail(&mail.id).await;
    }
    match post.carry(mail).await {
        Ok(()) => desk.store.forget_mail(&mail.id).await,
        Err(MailError::Refused(reason)) => {
            tracing::warn!(mail = mail.id, reason, "a mail was refused and is given up");
            desk.store.forget_mail(&mail.id).await
        }
        Err(error) => {
            let wait_us = AGAIN_US.saturating_mul(1 << tries.min(10)).min(LONGEST_AGAIN_US);
            tracing::warn!(mail = mail.id, tries, %error, "a mail was not taken; it is tried again in {} s", wait_us / 1_000_000);
            desk.store.put_off_mail(&mail.id, now_us.saturating_add(wait_us)).await
        }
    }
}
