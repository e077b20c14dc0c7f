//! `publish`: the one atomic switch of a title to a new version.

use async_trait::async_trait;
use matinee_contracts::catalog::PublishRequest;
use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_media::presentation::Presentation;
use matinee_service::channel::Channel;
use matinee_service::worker::{Done, Handler, TaskError, TaskRun};
use serde::Deserialize;

use crate::{called, refused, retryable};

/// Parameters of `publish`. The master's id is among them, so that a master that comes again is published again.
#[derive(Debug, Deserialize)]
struct Parameters {
    title: String,
}

/// Publishes verified versions.
#[derive(Clone)]
pub struct PublishHandler {
    catalog: CatalogClient<Channel>,
}

impl PublishHandler {
    /// `catalog` is what is switched.
    #[must_use]
    pub fn new(catalog: CatalogClient<Channel>) -> Self {
        Self { catalog }
    }

    async fn publish(&self, run: &TaskRun) -> Result<Done, TaskError> {
        let Parameters { title } = run.params()?;
        let stored = crate::file(&run.task, "verify", "presentation.json")?;
        let bytes = run.objects.get(&stored.object).await.map_err(retryable)?;
        if blake3::hash(&bytes).to_hex().as_str() != stored.blake3 {
            let key = run.task.inputs.first().map(|i| i.key.clone()).unwrap_or_default();
            return Err(TaskError::DamagedInput { key, reason: "its presentation's hash differs".to_owned() });
        }
        let presentation: Presentation =
            serde_json::from_slice(&bytes).map_err(|error| refused(format!("the presentation is damaged: {error}")))?;
        if presentation.title != title {
            return Err(refused(format!("the presentation is of {:?}, not of {title:?}", presentation.title)));
        }
        let version = presentation.version.clone();
        // The version's description stands before the catalogue names it; writing it again writes the same.
        run.objects.put(&format!("versions/{version}/presentation.json"), bytes).await.map_err(retryable)?;
        let request = PublishRequest {
            title,
            version: version.clone(),
            duration_us: presentation.duration_us,
            artwork: String::new(),
        };
        let switched = self.catalog.clone().publish(request).await;
        switched.map_err(|status| called("publishing", &status))?;
        Ok(Done { result: serde_json::json!({"version": version}), ..Done::default() })
    }
}

#[async_trait]
impl Handler for PublishHandler {
    fn task_type(&self) -> &'static str {
        "publish"
    }

    fn pool(&self) -> &'static str {
        "light"
    }

    async fn run(&self, tasks: Vec<TaskRun>) -> Vec<Result<Done, TaskError>> {
        let mut done = Vec::with_capacity(tasks.len());
        for task in tasks {
            done.push(self.publish(&task).await);
        }
        done
    }
}
