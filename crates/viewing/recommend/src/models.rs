//! Models on the object store, and which of them is in use.

use std::sync::Arc;

use bytes::Bytes;
use matinee_engines::objects::{ObjectError, ObjectStorage};

use crate::error::RecommendError;
use crate::model::{LONGEST, Model};

const FOLDER: &str = "models";
/// Holds the id of the one in use.
const POINTER: &str = "models/in-use";
/// Models that are kept; older ones are removed, but never the one in use.
const KEPT: usize = 10;

/// The models. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Models(ObjectStorage);

fn object(id: &str) -> Result<String, RecommendError> {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if id.is_empty() || id.len() > 64 || !id.chars().all(legal) {
        let reason = format!("{:?} is not 1 to 64 of a-z and 0-9", id.chars().take(80).collect::<String>());
        return Err(RecommendError::Field { field: "id", reason });
    }
    Ok(format!("{FOLDER}/{id}"))
}

impl Models {
    /// Of this store.
    #[must_use]
    pub fn new(objects: ObjectStorage) -> Self {
        Self(objects)
    }

    /// Keeps a model, and lets the oldest go.
    #[tracing::instrument(level = "info", name = "store.models.keep", skip_all)]
    pub async fn keep(&self, model: &Model) -> Result<(), RecommendError> {
        self.0.put(&object(&model.header.id)?, Bytes::from(model.encode())).await?;
        let used = self.used().await?;
        let mut ids = self.ids().await?;
        ids.retain(|id| *id != model.header.id && Some(id) != used.as_ref());
        let surplus = ids.len().saturating_sub(KEPT - 1);
        for id in ids.into_iter().take(surplus) {
            self.0.delete(&object(&id)?).await?;
        }
        Ok(())
    }

    /// Reads a model.
    #[tracing::instrument(level = "info", name = "store.models.load", skip_all)]
    pub async fn load(&self, id: &str) -> Result<Arc<Model>, RecommendError> {
        let key = object(id)?;
        match self.0.size(&key).await? {
            None => return Err(RecommendError::NoModel(id.to_owned())),
            Some(size) if size > LONGEST => {
                let reason = crate::model::DamagedModel::Shape;
                return Err(RecommendError::Damaged { id: id.to_owned(), reason });
            }
            Some(_) => {}
        }
        let bytes = self.0.get(&key).await?;
        let decoded = tokio::task::spawn_blocking(move || Model::decode(&bytes)).await?;
        decoded.map(Arc::new).map_err(|reason| RecommendError::Damaged { id: id.to_owned(), reason })
    }

    /// The ids, the oldest first.
    #[tracing::instrument(level = "info", name = "store.models.ids", skip_all)]
    pub async fn ids(&self) -> Result<Vec<String>, RecommendError> {
        let keys = self.0.list(FOLDER).await?;
        let id = |key: &String| key.strip_prefix("models/").filter(|id| object(id).is_ok()).map(str::to_owned);
        // An id is its time, of as many digits until the year 2286.
        Ok(keys.iter().filter_map(id).collect())
    }

    /// Which one is in use.
    #[tracing::instrument(level = "info", name = "store.models.used", skip_all)]
    pub async fn used(&self) -> Result<Option<String>, RecommendError> {
        match self.0.get(POINTER).await {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).trim().to_owned())),
            Err(ObjectError::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Remembers which one is in use.
    #[tracing::instrument(level = "info", name = "store.models.set-used", skip_all)]
    pub async fn set_used(&self, id: &str) -> Result<(), RecommendError> {
        self.0.put(POINTER, Bytes::copy_from_slice(id.as_bytes())).await?;
        Ok(())
    }
}
