//! The gRPC contract: a session is made of what the catalogue and the licence service say.

use std::sync::Arc;
use std::time::Duration;

use matinee_contracts::catalog::GetTitleRequest;
use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::license::license_client::LicenseClient;
use matinee_contracts::playback::playback_server::{Playback, PlaybackServer};
use matinee_contracts::playback::{Session, StartRequest};
use matinee_model::codec::Protection;
use matinee_model::ids::{TitleId, VersionId};
use matinee_service::channel::Channel;
use matinee_service::clock::{Clock, SystemClock};
use matinee_service::secrets::Secrets;
use matinee_service::signing::{Signer, covered};
use matinee_service::tokens::{PlaybackClaims, TokenKeys};
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

use crate::config::PlaybackConfig;
use crate::error::PlaybackError;
use crate::keys::KeyIds;
use crate::offer::{addresses, profile, protection};

/// How long another service may take.
const PATIENCE: Duration = Duration::from_secs(2);
const CATALOG: &str = "the catalogue";

/// Playback. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PlaybackService {
    catalog: CatalogClient<Channel>,
    keys: KeyIds,
    signer: Arc<Signer>,
    tokens: Arc<TokenKeys>,
    config: Arc<PlaybackConfig>,
    clock: Arc<dyn Clock>,
}

/// A version that may be watched.
struct Playable {
    title: TitleId,
    version: VersionId,
    duration_us: u64,
}

impl PlaybackService {
    /// Over these services, with the installation's signing and token keys.
    pub fn open(
        catalog: CatalogClient<Channel>,
        license: LicenseClient<Channel>,
        secrets: &Secrets,
        config: PlaybackConfig,
    ) -> Result<Self, PlaybackError> {
        let (signer, tokens) = (Signer::new(&secrets.signing), TokenKeys::new(&secrets.tokens));
        Self::new(catalog, license, signer, tokens, config, Arc::new(SystemClock))
    }

    /// By any clock.
    pub fn new(
        catalog: CatalogClient<Channel>,
        license: LicenseClient<Channel>,
        signer: Signer,
        tokens: TokenKeys,
        config: PlaybackConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PlaybackError> {
        config.check()?;
        let keys = KeyIds::new(license, PATIENCE);
        let (signer, tokens, config) = (Arc::new(signer), Arc::new(tokens), Arc::new(config));
        Ok(Self { catalog, keys, signer, tokens, config, clock })
    }

    /// The contract, to be called or hosted.
    #[must_use]
    pub fn server(&self) -> PlaybackServer<Self> {
        PlaybackServer::new(self.clone())
    }

    async fn session(&self, request: StartRequest) -> Result<Session, PlaybackError> {
        let title = TitleId::parse(&request.title).map_err(|error| PlaybackError::field("title", error.to_string()))?;
        let device = profile(&self.config.profiles, &request.profile)?;
        let protection = protection(device, &request.protection)?;
        let playable = self.playable(title).await?;
        let now = self.clock.now_seconds();
        let expires = now.saturating_add(self.config.valid.as_secs());
        let id = Uuid::now_v7().simple().to_string();
        let token = |protection| self.signer.sign(&covered(playable.version.as_str(), protection), expires);
        let edge_url = &self.config.edge_url;
        let addresses = addresses(edge_url, token, &playable.version, device, protection, &self.config.profiles);
        let mut session = Session {
            id,
            title: playable.title.as_str().to_owned(),
            version: playable.version.as_str().to_owned(),
            hls_url: addresses.hls,
            dash_url: addresses.dash,
            hls_ts_url: addresses.hls_ts,
            thumbnails_url: addresses.thumbnails,
            expires_us: i64::try_from(expires.saturating_mul(1_000_000)).unwrap_or(i64::MAX),
            duration_us: playable.duration_us,
            protection: protection.name().to_owned(),
            ..Session::default()
        };
        // A clear stream needs no licence.
        if protection != Protection::Clear {
            let kids = self.keys.of(&playable.title).await?.to_vec();
            let claims = PlaybackClaims {
                sid: session.id.clone(),
                title: playable.title,
                version: playable.version,
                kids: kids.clone(),
                exp: expires,
                iat: now,
            };
            session.token = self.tokens.issue(&claims)?;
            session.license_url.clone_from(&self.config.license_url);
            session.kids = kids;
        }
        Ok(session)
    }

    async fn playable(&self, title: TitleId) -> Result<Playable, PlaybackError> {
        let request = GetTitleRequest { id: title.as_str().to_owned() };
        let mut catalog = self.catalog.clone();
        let answer = tokio::time::timeout(PATIENCE, catalog.get_title(request)).await;
        let late = |_| Status::deadline_exceeded(format!("no answer after {PATIENCE:?}"));
        let found = match answer.map_err(late).and_then(|answer| answer) {
            Ok(found) => found.into_inner(),
            Err(status) if status.code() == Code::NotFound => return Err(PlaybackError::UnknownTitle(title)),
            Err(status) => {
                let reason = status.message().to_owned();
                return Err(PlaybackError::Unavailable { service: CATALOG, title, reason });
            }
        };
        if found.version.is_empty() {
            return Err(PlaybackError::NotPublished(title));
        }
        match VersionId::parse(&found.version) {
            Ok(version) => Ok(Playable { title, version, duration_us: found.duration_us }),
            Err(error) => Err(PlaybackError::Answer { service: CATALOG, title, reason: error.to_string() }),
        }
    }
}

#[tonic::async_trait]
impl Playback for PlaybackService {
    async fn start(&self, request: Request<StartRequest>) -> Result<Response<Session>, Status> {
        Ok(Response::new(self.session(request.into_inner()).await?))
    }
}
