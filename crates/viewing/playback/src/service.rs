//! The gRPC contract: a session is made of what the catalogue, billing, history and the licence service say.

use std::sync::Arc;

use matinee_contracts::playback::playback_server::{Playback, PlaybackServer};
use matinee_contracts::playback::{
    EndReply, EndRequest, Playing as PlayingNow, Session, SessionsReply, SessionsRequest, StartRequest,
};
use matinee_contracts::viewer::Viewer;
use matinee_engines::events::Events;
use matinee_model::codec::{KeyTier, Protection};
use matinee_model::ids::{AccountId, ProfileId, SessionId, TitleId};
use matinee_model::profile::DeviceProfile;
use matinee_service::clock::{Clock, SystemClock};
use matinee_service::secrets::Secrets;
use matinee_service::signing::{Signer, covered};
use matinee_service::tokens::{PlaybackClaims, TokenKeys};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::config::PlaybackConfig;
use crate::consume::consume;
use crate::entitlement::{Playable, Terms, territory};
use crate::error::{PlaybackError, Refusal};
use crate::neighbours::{Asking, Neighbours};
use crate::offer::{addresses, profile, protection};
use crate::streams::{Playing, Streams};

/// How often a player reports.
const HEARTBEAT_SECONDS: u32 = 10;

/// Playback. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PlaybackService {
    asking: Asking,
    streams: Arc<Streams>,
    signer: Arc<Signer>,
    tokens: Arc<TokenKeys>,
    config: Arc<PlaybackConfig>,
    clock: Arc<dyn Clock>,
}

impl PlaybackService {
    /// Over these services, with the installation's signing and token keys.
    pub fn open(neighbours: Neighbours, secrets: &Secrets, config: PlaybackConfig) -> Result<Self, PlaybackError> {
        let (signer, tokens) = (Signer::new(&secrets.signing), TokenKeys::new(&secrets.tokens));
        Self::new(neighbours, signer, tokens, config, Arc::new(SystemClock))
    }

    /// By any clock.
    pub fn new(
        neighbours: Neighbours,
        signer: Signer,
        tokens: TokenKeys,
        config: PlaybackConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PlaybackError> {
        config.check()?;
        let (signer, tokens, config) = (Arc::new(signer), Arc::new(tokens), Arc::new(config));
        Ok(Self { asking: Asking::new(neighbours), streams: Arc::default(), signer, tokens, config, clock })
    }

    /// The contract, to be called or hosted.
    #[must_use]
    pub fn server(&self) -> PlaybackServer<Self> {
        PlaybackServer::new(self.clone())
    }

    /// Hears in the heartbeats who plays and who stopped, until `stop`.
    pub async fn consume(&self, log: Events, stop: CancellationToken) {
        consume(log, Arc::clone(&self.streams), Arc::clone(&self.clock), stop).await;
    }

    /// The session that a viewer gets, or why not.
    async fn begun(&self, request: StartRequest) -> Result<Session, PlaybackError> {
        let title = TitleId::parse(&request.title).map_err(|error| PlaybackError::field("title", error.to_string()))?;
        let device = profile(&self.config.profiles, &request.profile)?;
        let protection = protection(device, &request.protection)?;
        if protection == Protection::Clear && !request.open && !self.config.clear_to_members {
            let reason = format!("members get no clear stream, and device profile {} ", device.name);
            return Err(PlaybackError::field("protection", reason + &opens(device)));
        }
        let viewer = request.viewer.unwrap_or_default();
        let watching = self.watching(&viewer, request.open, &title)?;
        let terms = async {
            match &watching {
                Some(account) => self.asking.terms(account, &title).await.map(Some),
                None => Ok(None),
            }
        };
        let resume = async {
            match ProfileId::parse(&viewer.profile) {
                Ok(profile) => self.asking.resume_us(&profile, &title).await,
                Err(_) => 0,
            }
        };
        let (playable, terms, resume_us) = tokio::join!(self.asking.playable(&title), terms, resume);
        let playable = playable?;
        let now_us = self.clock.now_us();
        // Where nobody is asked who they are, nobody is asked where they are either, unless the gateway knows.
        if watching.is_some() || !viewer.territory.is_empty() {
            playable.admits(territory(&viewer)?, viewer.maturity_limit, now_us)?;
        }
        let (terms, id) = (terms?.unwrap_or(Terms::OPEN), SessionId::fresh());
        if let Some(account) = &watching {
            let playing = Playing {
                session: id.to_string(),
                title: title.to_string(),
                profile: viewer.profile,
                device: viewer.device,
                started_us: now_us,
                heard_us: None,
            };
            let full = |_| PlaybackError::Refused {
                title: title.clone(),
                why: Refusal::TooManyStreams { most: terms.streams },
            };
            self.streams.begin(account, playing, terms.streams, now_us).map_err(full)?;
        }
        let session = self.session(id, &playable, device, protection, terms).await?;
        Ok(Session { resume_us, ..session })
    }

    /// Whose streams and subscription count; nobody's where everybody may watch.
    fn watching(&self, viewer: &Viewer, open: bool, title: &TitleId) -> Result<Option<AccountId>, PlaybackError> {
        if open {
            return Ok(None);
        }
        if viewer.account.is_empty() {
            return Err(PlaybackError::Refused { title: title.clone(), why: Refusal::SignIn });
        }
        let account = AccountId::parse(&viewer.account);
        account.map(Some).map_err(|error| PlaybackError::field("viewer.account", error.to_string()))
    }

    async fn session(
        &self,
        id: SessionId,
        playable: &Playable,
        device: &DeviceProfile,
        protection: Protection,
        terms: Terms,
    ) -> Result<Session, PlaybackError> {
        let now = self.clock.now_seconds();
        let expires = now.saturating_add(self.config.valid.as_secs());
        let token = |protection| self.signer.sign(&covered(playable.version.as_str(), protection), expires);
        let edge_url = &self.config.edge_url;
        let (version, profiles) = (&playable.version, &self.config.profiles);
        let addresses = addresses(edge_url, token, version, device, protection, terms.max_height, profiles);
        let mut session = Session {
            id: id.to_string(),
            title: playable.title.as_str().to_owned(),
            version: playable.version.as_str().to_owned(),
            hls_url: addresses.hls,
            dash_url: addresses.dash,
            hls_ts_url: addresses.hls_ts,
            thumbnails_url: addresses.thumbnails,
            expires_us: i64::try_from(expires.saturating_mul(1_000_000)).unwrap_or(i64::MAX),
            duration_us: playable.duration_us,
            protection: protection.name().to_owned(),
            heartbeat_seconds: HEARTBEAT_SECONDS,
            max_height: terms.max_height.unwrap_or(0),
            edges: vec![edge_url.clone()],
            ..Session::default()
        };
        // A clear stream needs no licence.
        if protection != Protection::Clear {
            let kids = self.asking.keys.up_to(&playable.title, highest(terms)).await?;
            let claims = PlaybackClaims {
                sid: session.id.clone(),
                title: playable.title.clone(),
                version: playable.version.clone(),
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
}

/// What the device opens of what is encrypted, for people.
fn opens(device: &DeviceProfile) -> String {
    let encrypted = device.protection.iter().filter(|protection| **protection != Protection::Clear);
    match encrypted.map(|protection| protection.name()).collect::<Vec<_>>().join(", ") {
        names if names.is_empty() => "opens no other".to_owned(),
        names => format!("opens {names}"),
    }
}

/// The highest tier whose key the terms give.
fn highest(terms: Terms) -> KeyTier {
    terms.max_height.map_or(KeyTier::Uhd, KeyTier::of_height)
}

#[tonic::async_trait]
impl Playback for PlaybackService {
    async fn start(&self, request: Request<StartRequest>) -> Result<Response<Session>, Status> {
        Ok(Response::new(self.begun(request.into_inner()).await?))
    }

    async fn end(&self, request: Request<EndRequest>) -> Result<Response<EndReply>, Status> {
        let EndRequest { account, session } = request.into_inner();
        self.streams.end(&account_id(&account)?, &session);
        Ok(Response::new(EndReply {}))
    }

    async fn sessions(&self, request: Request<SessionsRequest>) -> Result<Response<SessionsReply>, Status> {
        let account = account_id(&request.get_ref().account)?;
        let sessions = self.streams.of(&account, self.clock.now_us()).into_iter().map(|playing| PlayingNow {
            session: playing.session,
            title: playing.title,
            profile: playing.profile,
            device: playing.device,
            started_us: playing.started_us,
            heard_us: playing.heard_us.unwrap_or(0),
        });
        Ok(Response::new(SessionsReply { sessions: sessions.collect(), streams: 0 }))
    }
}

fn account_id(account: &str) -> Result<AccountId, PlaybackError> {
    AccountId::parse(account).map_err(|error| PlaybackError::field("account", error.to_string()))
}
