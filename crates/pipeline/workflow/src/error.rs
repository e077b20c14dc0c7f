//! Why a call was refused or failed, and the one place where that becomes a gRPC status.

use tonic::{Code, Status};

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum WorkflowError {
    /// There is none of that id.
    #[error("workflow {0:?} does not exist")]
    UnknownWorkflow(String),
    /// The workflow has no such task.
    #[error("workflow {workflow} has no task {task:?}")]
    UnknownTask {
        /// The workflow.
        workflow: String,
        /// The name that was asked for.
        task: String,
    },
    /// Two tasks of one name.
    #[error("task {0:?} is named twice")]
    DuplicateTask(String),
    /// A dependency that is no task of the workflow.
    #[error("task {task} depends on {needs:?}, which is not a task of the workflow")]
    UnknownDependency {
        /// The task.
        task: String,
        /// What it asks for.
        needs: String,
    },
    /// Tasks that wait for each other.
    #[error("tasks wait for each other in a circle: {0}")]
    Cycle(String),
    /// A field that can't be taken.
    #[error("{field} {value:?} is refused: {reason}")]
    Field {
        /// Which.
        field: &'static str,
        /// What it holds, shortened.
        value: String,
        /// What would be taken.
        reason: String,
    },
    /// More than is taken.
    #[error("{what} is {is}, at most {limit} is taken")]
    TooLarge {
        /// Of what.
        what: String,
        /// How much there is.
        is: usize,
        /// How much is taken.
        limit: usize,
    },
    /// As many streams as are served at once.
    #[error("{0} workflows are being watched already, which is the most; try again later")]
    TooManyWatchers(usize),
    /// The disk is full.
    #[error("no space left for the workflow store; it goes on when there is room")]
    NoSpace,
    /// The store's engine failed.
    #[error("the workflow store failed: {0}")]
    Store(#[source] sqlx::Error),
    /// Its schema could not be brought up to date.
    #[error("the workflow store's schema could not be brought up to date: {0}")]
    Schema(#[from] sqlx::migrate::MigrateError),
    /// What is stored is not what was written.
    #[error("the workflow store holds a damaged outcome under key {key}: {reason}")]
    Damaged {
        /// The output's key.
        key: String,
        /// What is wrong.
        reason: String,
    },
}

impl From<sqlx::Error> for WorkflowError {
    fn from(error: sqlx::Error) -> Self {
        // SQLITE_FULL, or the operating system's ENOSPC below it.
        let full = match &error {
            sqlx::Error::Database(inner) => inner.code().as_deref() == Some("13"),
            sqlx::Error::Io(inner) => inner.kind() == std::io::ErrorKind::StorageFull,
            _ => false,
        };
        if full { Self::NoSpace } else { Self::Store(error) }
    }
}

impl WorkflowError {
    pub(crate) fn field(field: &'static str, value: &str, reason: impl Into<String>) -> Self {
        let value = value.chars().take(80).collect();
        Self::Field { field, value, reason: reason.into() }
    }
}

impl From<WorkflowError> for Status {
    fn from(error: WorkflowError) -> Self {
        let code = match &error {
            WorkflowError::UnknownWorkflow(_) | WorkflowError::UnknownTask { .. } => Code::NotFound,
            WorkflowError::DuplicateTask(_)
            | WorkflowError::UnknownDependency { .. }
            | WorkflowError::Cycle(_)
            | WorkflowError::Field { .. }
            | WorkflowError::TooLarge { .. } => Code::InvalidArgument,
            WorkflowError::TooManyWatchers(_) | WorkflowError::NoSpace => Code::ResourceExhausted,
            WorkflowError::Store(_) => Code::Unavailable,
            WorkflowError::Schema(_) => Code::Internal,
            WorkflowError::Damaged { .. } => Code::DataLoss,
        };
        Status::new(code, error.to_string())
    }
}
