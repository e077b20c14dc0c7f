//! Watching a workflow: a snapshot now, then at each change, until it ends.
//!
//! Changes that come faster than [`COALESCE`] are told together; at most one snapshot waits for a slow reader.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{BoxStream, StreamExt};
use matinee_contracts::workflow::{WorkflowDetail, WorkflowState};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use crate::error::WorkflowError;
use crate::service::Inner;

/// The shortest time between two snapshots.
const COALESCE: Duration = Duration::from_millis(200);
/// How often it is looked whether the reader is still there while nothing changes.
const IDLE: Duration = Duration::from_secs(10);

/// The snapshots of one workflow. Fails where there is none of that id, or where too many are watched.
pub(crate) async fn snapshots(
    inner: &Arc<Inner>,
    id: String,
) -> Result<BoxStream<'static, Result<WorkflowDetail, Status>>, WorkflowError> {
    let place = Arc::clone(&inner.watchers)
        .try_acquire_owned()
        .map_err(|_| WorkflowError::TooManyWatchers(inner.config.max_watchers))?;
    let mut changes = inner.changes();
    inner.store.revision(&id).await?;
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let inner = Arc::clone(inner);
    tokio::spawn(async move {
        let _place = place;
        let mut told = -1;
        loop {
            changes.mark_unchanged();
            match next(&inner, &id, &mut told).await {
                Ok(None) => {}
                Ok(Some(detail)) => {
                    let ended = has_ended(&detail);
                    if sender.send(Ok(detail)).await.is_err() || ended {
                        return;
                    }
                }
                Err(error) => {
                    // Nobody left to tell is no failure.
                    let _ = sender.send(Err(error.into())).await;
                    return;
                }
            }
            tokio::time::sleep(COALESCE).await;
            tokio::select! {
                () = sender.closed() => return,
                _ = tokio::time::timeout(IDLE, changes.changed()) => {}
            }
        }
    });
    Ok(ReceiverStream::new(receiver).boxed())
}

async fn next(inner: &Inner, id: &str, told: &mut i64) -> Result<Option<WorkflowDetail>, WorkflowError> {
    let revision = inner.store.revision(id).await?;
    if revision == *told {
        return Ok(None);
    }
    *told = revision;
    Ok(Some(inner.store.show(id).await?))
}

fn has_ended(detail: &WorkflowDetail) -> bool {
    let state = detail.summary.as_ref().map(|summary| summary.state);
    state == Some(WorkflowState::Completed as i32) || state == Some(WorkflowState::Stopped as i32)
}
