//! The contract over the executor: checks what comes in, and says what it did.

use std::collections::HashSet;

use futures::stream::BoxStream;
use matinee_contracts::workflow::workflow_server::Workflow;
use matinee_contracts::workflow::{
    CancelRequest, CompleteReply, CompleteRequest, FailReply, FailRequest, HeartbeatReply, HeartbeatRequest,
    InvalidateOutputReply, InvalidateOutputRequest, ListReply, ListRequest, PollReply, PollRequest, ReleaseReply,
    ReleaseRequest, RetryRequest, ShowRequest, StartRequest, WorkflowDetail, WorkflowSummary,
};
use tonic::{Request, Response, Status};

use crate::error::WorkflowError;
use crate::plan;
use crate::service::WorkflowService;
use crate::watch;

/// Workflows in a list that does not say how many.
const LIST_LENGTH: u32 = 50;
/// Most workflows in a list.
const LONGEST_LIST: u32 = 500;
/// Most leases or types in one call.
const MOST_NAMED: usize = 1024;

#[tonic::async_trait]
impl Workflow for WorkflowService {
    async fn start(&self, request: Request<StartRequest>) -> Result<Response<WorkflowSummary>, Status> {
        let request = request.into_inner();
        plan::check_start(&request)?;
        self.inner.store.start(&request, self.inner.now_us()).await?;
        self.inner.stepped().await?;
        Ok(Response::new(self.inner.store.summary(&request.id).await?))
    }

    async fn list(&self, request: Request<ListRequest>) -> Result<Response<ListReply>, Status> {
        let request = request.into_inner();
        let limit = if request.limit == 0 { LIST_LENGTH } else { request.limit.min(LONGEST_LIST) };
        let workflows = self.inner.store.list(&request.subject, limit).await?;
        Ok(Response::new(ListReply { workflows }))
    }

    async fn show(&self, request: Request<ShowRequest>) -> Result<Response<WorkflowDetail>, Status> {
        Ok(Response::new(self.inner.store.show(&request.into_inner().id).await?))
    }

    async fn retry(&self, request: Request<RetryRequest>) -> Result<Response<WorkflowSummary>, Status> {
        let request = request.into_inner();
        self.inner.store.retry(&request.id, &request.task, self.inner.now_us()).await?;
        self.inner.stepped().await?;
        Ok(Response::new(self.inner.store.summary(&request.id).await?))
    }

    async fn cancel(&self, request: Request<CancelRequest>) -> Result<Response<WorkflowSummary>, Status> {
        let request = request.into_inner();
        plan::check_length("the reason", request.reason.len(), plan::MOST_REASON)?;
        self.inner.store.cancel(&request.id, &request.reason, self.inner.now_us()).await?;
        self.inner.tell();
        Ok(Response::new(self.inner.store.summary(&request.id).await?))
    }

    async fn watch(
        &self,
        request: Request<ShowRequest>,
    ) -> Result<Response<BoxStream<'static, Result<WorkflowDetail, Status>>>, Status> {
        let snapshots = watch::snapshots(&self.inner, request.into_inner().id).await?;
        Ok(Response::new(snapshots))
    }

    async fn poll(&self, request: Request<PollRequest>) -> Result<Response<PollReply>, Status> {
        let request = request.into_inner();
        if request.worker.is_empty() || request.worker.len() > plan::MOST_NAME {
            let reason = format!("1 to {} bytes are taken", plan::MOST_NAME);
            return Err(WorkflowError::field("worker", &request.worker, reason).into());
        }
        plan::check_length("the number of task types", request.types.len(), MOST_NAMED)?;
        Ok(Response::new(PollReply { tasks: self.inner.poll(&request).await? }))
    }

    async fn heartbeat(&self, request: Request<HeartbeatRequest>) -> Result<Response<HeartbeatReply>, Status> {
        let mut beats = request.into_inner().beats;
        plan::check_length("the number of beats", beats.len(), MOST_NAMED)?;
        for beat in &mut beats {
            beat.note.truncate(beat.note.floor_char_boundary(plan::MOST_NOTE));
        }
        let lost = self.inner.store.heartbeat(&beats, self.inner.now_us()).await?;
        self.inner.progressed();
        Ok(Response::new(HeartbeatReply { lost }))
    }

    async fn complete(&self, request: Request<CompleteRequest>) -> Result<Response<CompleteReply>, Status> {
        let request = request.into_inner();
        let outcome = request.outcome.unwrap_or_default();
        plan::check_outcome(&outcome)?;
        let accepted = self.inner.store.complete(&request.lease, &outcome, self.inner.now_us()).await?;
        self.inner.stepped().await?;
        Ok(Response::new(CompleteReply { accepted }))
    }

    async fn fail(&self, request: Request<FailRequest>) -> Result<Response<FailReply>, Status> {
        let request = request.into_inner();
        plan::check_failure(&request)?;
        let inner = &self.inner;
        let accepted = inner.store.fail(&request, inner.now_us(), inner.chance()).await?;
        inner.stepped().await?;
        Ok(Response::new(FailReply { accepted }))
    }

    async fn release(&self, request: Request<ReleaseRequest>) -> Result<Response<ReleaseReply>, Status> {
        let leases: HashSet<String> = request.into_inner().leases.into_iter().collect();
        plan::check_length("the number of leases", leases.len(), MOST_NAMED)?;
        let leases: Vec<String> = leases.into_iter().collect();
        let released = self.inner.store.release(&leases, self.inner.now_us()).await?;
        self.inner.stepped().await?;
        Ok(Response::new(ReleaseReply { released }))
    }

    async fn invalidate_output(
        &self,
        request: Request<InvalidateOutputRequest>,
    ) -> Result<Response<InvalidateOutputReply>, Status> {
        let request = request.into_inner();
        let workflows = self.inner.store.invalidate(&request.key, self.inner.now_us()).await?;
        tracing::warn!(
            key = request.key,
            reason = request.reason,
            ?workflows,
            "an output is damaged and is made again"
        );
        self.inner.stepped().await?;
        Ok(Response::new(InvalidateOutputReply { workflows }))
    }
}
