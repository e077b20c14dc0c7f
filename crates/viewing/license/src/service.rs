//! The gRPC contract over the store, and the decision whether a token opens what is asked for.

use std::path::Path;
use std::sync::Arc;

use matinee_contracts::license as contract;
use matinee_contracts::license::license_server::{License, LicenseServer};
use matinee_contracts::license::{ClearKeyReply, ClearKeyRequest, ContentKeys, EnsureKeysRequest, GetKeysRequest};
use matinee_model::ids::TitleId;
use matinee_service::clock::{Clock, SystemClock};
use matinee_service::secrets::Secrets;
use matinee_service::tokens::TokenKeys;
use tonic::{Request, Response, Status};
use zeroize::Zeroizing;

use crate::clearkey::{license, requested};
use crate::error::LicenseError;
use crate::keys::{ContentKey, KeyId, Label};
use crate::seal::Seal;
use crate::store::{KeyStore, SqliteKeys};

/// As many labels or ids as one call may name.
const MOST_NAMED: usize = 64;

/// The licence service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LicenseService {
    store: Arc<dyn KeyStore>,
    tokens: Arc<TokenKeys>,
    clock: Arc<dyn Clock>,
}

impl LicenseService {
    /// Over the embedded store in the file at `path`, with the installation's master key and token key.
    pub async fn open(path: &Path, secrets: &Secrets) -> Result<Self, LicenseError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store = SqliteKeys::open(path, Seal::new(&secrets.master), Arc::clone(&clock)).await?;
        Ok(Self::new(Arc::new(store), TokenKeys::new(&secrets.tokens), clock))
    }

    /// Over any store, by any clock.
    #[must_use]
    pub fn new(store: Arc<dyn KeyStore>, tokens: TokenKeys, clock: Arc<dyn Clock>) -> Self {
        Self { store, tokens: Arc::new(tokens), clock }
    }

    /// The contract, to be called or hosted.
    #[must_use]
    pub fn server(&self) -> LicenseServer<Self> {
        LicenseServer::new(self.clone())
    }

    /// A Clear Key licence for the bearer of `token`: every key that the token covers, or none at all where `body` asks
    /// for another.
    ///
    /// All at once, since a player need not know of a rung's key before it changes to that rung, and then asks for it
    /// only where it heard of it: one request opens everything that the viewer may see.
    pub async fn clear_key_license(&self, token: &str, body: &[u8]) -> Result<Zeroizing<Vec<u8>>, LicenseError> {
        let claims = self.tokens.verify(token, self.clock.now_seconds())?;
        let ids = requested(body)?;
        let covered: Vec<KeyId> = claims.kids.iter().filter_map(|kid| KeyId::from_hex(kid)).collect();
        if let Some(other) = ids.iter().find(|id| !covered.contains(id)) {
            let (session, title) = (claims.sid, claims.title);
            tracing::warn!(session, %title, kid = %other, "a key was asked for that the token does not cover");
            return Err(LicenseError::NotCovered(*other));
        }
        Ok(license(&self.store.by_id(&covered).await?))
    }
}

#[tonic::async_trait]
impl License for LicenseService {
    async fn ensure_keys(&self, request: Request<EnsureKeysRequest>) -> Result<Response<ContentKeys>, Status> {
        let request = request.into_inner();
        let title = TitleId::parse(&request.title).map_err(|error| LicenseError::field("title", error.to_string()))?;
        bounded("labels", request.labels.len())?;
        let labels = request.labels.iter().map(|label| Label::parse(label)).collect::<Result<Vec<_>, _>>()?;
        Ok(reply(&self.store.ensure(&title, &labels).await?))
    }

    async fn get_keys(&self, request: Request<GetKeysRequest>) -> Result<Response<ContentKeys>, Status> {
        let kids = request.into_inner().kids;
        bounded("kids", kids.len())?;
        let ids = kids.iter().map(|kid| KeyId::from_slice("kids", kid)).collect::<Result<Vec<_>, _>>()?;
        Ok(reply(&self.store.by_id(&ids).await?))
    }

    async fn clear_key(&self, request: Request<ClearKeyRequest>) -> Result<Response<ClearKeyReply>, Status> {
        let request = request.into_inner();
        let body = self.clear_key_license(&request.token, &request.body).await?;
        Ok(Response::new(ClearKeyReply { body: body.to_vec() }))
    }
}

fn bounded(field: &'static str, count: usize) -> Result<(), LicenseError> {
    if (1..=MOST_NAMED).contains(&count) {
        return Ok(());
    }
    Err(LicenseError::field(field, format!("it names {count}, 1 to {MOST_NAMED} are taken")))
}

fn reply(keys: &[ContentKey]) -> Response<ContentKeys> {
    let message = |key: &ContentKey| contract::ContentKey {
        label: key.label.as_str().to_owned(),
        kid: key.id.0.to_vec(),
        key: key.material.key.to_vec(),
        iv: key.material.iv.to_vec(),
        title: key.title.as_str().to_owned(),
    };
    Response::new(ContentKeys { keys: keys.iter().map(message).collect() })
}
