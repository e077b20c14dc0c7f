//! The gRPC contract, and the loops beside it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::lake::lake_client::LakeClient;
use matinee_contracts::recommend as contract;
use matinee_contracts::recommend::recommend_server::{Recommend, RecommendServer};
use matinee_contracts::recommend::{
    HomeReply, HomeRequest, ListModelsReply, ListModelsRequest, SimilarReply, SimilarRequest, TrainRequest,
    UseModelRequest,
};
use matinee_contracts::viewer::Viewer;
use matinee_engines::events::Events;
use matinee_engines::objects::ObjectStorage;
use matinee_model::ids::{ProfileId, TitleId};
use matinee_model::territory::Territory;
use matinee_service::channel::Channel;
use matinee_service::clock::{Clock, SystemClock};
use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::consume::consume;
use crate::error::RecommendError;
use crate::memory::{InUse, Memory};
use crate::model::{Header, Model};
use crate::models::Models;
use crate::popular::{Place, Ranking};
use crate::profile::Record;
use crate::recent::Recent;
use crate::rows::{View, home, seen};
use crate::taste::alike;
use crate::titles::{Allowed, Audience, Titles};
use crate::train::{Quiet, Source, Trained, Training, train};

/// Rows, titles of a row and similar titles where none are asked for, and at most.
const ROWS: (u32, u32) = (12, 40);
const TITLES: (u32, u32) = (20, 100);
const SIMILAR: (u32, u32) = (20, 100);
/// How old a ranking may be: so many times what it took to make, and no older than that.
const FRESH_TIMES: u32 = 1000;
const FRESH: Duration = Duration::from_secs(10);
/// How old a list of titles like one may be.
const ALIKE_FRESH: Duration = Duration::from_secs(60);
/// Titles of a profile that a model is asked with.
const ASKED_WITH: usize = 100;
/// What is remembered: audiences, places, titles, profiles.
const AUDIENCES: usize = 500;
const PLACES: usize = 400;
const ALIKE: usize = 10_000;
const VECTORS: usize = 50_000;
/// Between two looks at which model is in use, and whether it is time to train.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// The first training comes that long after the start, and a failed one is tried again after that.
const TRAIN_AGAIN: Duration = Duration::from_secs(1800);
/// Where the request does not say where it comes from: no country has these letters.
const NOWHERE: &str = "ZZ";

/// What the service stands on.
#[derive(Debug, Clone)]
pub struct Outside {
    /// For the models.
    pub objects: ObjectStorage,
    /// Lists the titles at the beginning.
    pub catalog: CatalogClient<Channel>,
    /// Says which files there are to train on.
    pub lake: LakeClient<Channel>,
}

/// Recommendations. Cheap to clone.
#[derive(Debug, Clone)]
pub struct RecommendService(Arc<Inner>);

/// Until when it holds, of which titles it is, and what it is.
type Known<T> = (Instant, Arc<Titles>, Arc<T>);

/// Titles like one, and by which model.
type Alike = (Known<Vec<u32>>, Option<Arc<Model>>);
/// A profile's factors: a hash of what they were made of, by which model, and they.
type Folded = (u64, Arc<Model>, Arc<Vec<f32>>);

#[derive(Debug)]
struct Inner {
    memory: Arc<Memory>,
    models: Models,
    outside: Outside,
    training: Training,
    quiet: Quiet,
    clock: Arc<dyn Clock>,
    // Held while a model is trained.
    busy: Mutex<()>,
    // Requests that are computed: one a processor, for they do little but compute.
    turns: Arc<Semaphore>,
    allowed: Recent<Audience, (i64, Arc<Titles>, Arc<Allowed>)>,
    rankings: Recent<Place, Known<Ranking>>,
    alike: Recent<u32, Alike>,
    // By profile.
    vectors: Recent<String, Folded>,
}

impl RecommendService {
    /// Over the store in `folder`, made where there is none.
    pub async fn open(folder: &Path, outside: Outside, training: Training) -> Result<Self, RecommendError> {
        Self::with_clock(folder, outside, training, Arc::new(SystemClock)).await
    }

    /// The same by any clock.
    pub async fn with_clock(
        folder: &Path,
        outside: Outside,
        training: Training,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, RecommendError> {
        let memory = Arc::new(Memory::open(folder).await?);
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let (models, quiet) = (Models::new(outside.objects.clone()), Quiet::new(training.threads)?);
        Ok(Self(Arc::new(Inner {
            memory,
            models,
            outside,
            training,
            quiet,
            clock,
            busy: Mutex::default(),
            turns: Arc::new(Semaphore::new(processors)),
            allowed: Recent::new(AUDIENCES),
            rankings: Recent::new(PLACES),
            alike: Recent::new(ALIKE),
            vectors: Recent::new(VECTORS),
        })))
    }

    /// The contract, to be called or hosted.
    #[must_use]
    pub fn server(&self) -> RecommendServer<Self> {
        RecommendServer::new(self.clone())
    }

    /// Takes events from `log`, until `stop`. One process of an installation does so.
    pub async fn consume(&self, log: Events, stop: CancellationToken) {
        consume(log, self.0.outside.catalog.clone(), Arc::clone(&self.0.memory), stop).await;
    }

    /// How far a topic was read: the number of the event that comes next.
    pub async fn next(&self, topic: &'static str) -> Result<u64, RecommendError> {
        let memory = Arc::clone(&self.0.memory);
        tokio::task::spawn_blocking(move || memory.store.next(topic)).await?
    }

    /// Follows which model is in use, and trains a new one each day, until `stop`.
    pub async fn maintain(&self, stop: CancellationToken) {
        let mut train_at = Instant::now() + TRAIN_AGAIN;
        loop {
            if let Err(error) = self.follow().await {
                tracing::warn!(%error, "the model in use can't be read, trying again");
            }
            let trained_us = self.0.memory.model().map_or(0, |used| used.model.header.trained_us);
            let age_us = u64::try_from(self.0.clock.now_us().saturating_sub(trained_us)).unwrap_or(0);
            if Instant::now() >= train_at && Duration::from_micros(age_us) >= self.0.training.every {
                train_at = Instant::now() + TRAIN_AGAIN;
                match stop.run_until_cancelled(self.train_one()).await {
                    None => return,
                    Some(Ok(_)) => train_at = Instant::now() + self.0.training.every,
                    Some(Err(RecommendError::TooLittle { profiles, needed })) => {
                        tracing::debug!(profiles, needed, "too little was watched to train a model");
                    }
                    Some(Err(error)) => tracing::warn!(%error, "no model was trained, trying again"),
                }
            }
            if stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_none() {
                return;
            }
        }
    }

    /// Takes the model in use that the object store names.
    async fn follow(&self) -> Result<(), RecommendError> {
        let Some(id) = self.0.models.used().await? else { return Ok(()) };
        if self.0.memory.model().is_some_and(|used| used.model.header.id == id) {
            return Ok(());
        }
        let model = self.0.models.load(&id).await?;
        self.0.memory.use_model(model);
        Ok(())
    }

    /// Computes beside the requests that wait for others, as many at once as there are processors.
    async fn in_turn<T: Send + 'static>(
        &self,
        make: impl FnOnce() -> Result<T, RecommendError> + Send + 'static,
    ) -> Result<T, RecommendError> {
        let turn = Arc::clone(&self.0.turns).acquire_owned().await.expect("the semaphore is never closed");
        let span = tracing::Span::current();
        let made = tokio::task::spawn_blocking(move || {
            // Given back when it is done, even if nobody waits for it any more.
            let _turn = turn;
            span.in_scope(make)
        });
        made.await?
    }

    async fn train_one(&self) -> Result<Header, RecommendError> {
        let Ok(_turn) = self.0.busy.try_lock() else { return Err(RecommendError::Training) };
        let inner = &self.0;
        // One that is damaged is to be replaced.
        if let Err(error) = self.follow().await {
            tracing::warn!(%error, "the model in use can't be read");
        }
        let titles = inner.memory.titles();
        let source = Source { lake: inner.outside.lake.clone(), objects: inner.outside.objects.clone() };
        let plays = source.plays(&titles, inner.training.most_plays, &inner.quiet).await?;
        let (used, how, now_us) = (inner.memory.model(), inner.training.clone(), inner.clock.now_us());
        let trained = inner.quiet.run(move || train(&plays, &titles, used.as_deref(), &how, now_us)).await??;
        let Trained { model, no_worse } = trained;
        inner.models.keep(&model).await?;
        let header = model.header.clone();
        if no_worse {
            inner.models.set_used(&header.id).await?;
            inner.memory.use_model(Arc::new(model));
        }
        Ok(header)
    }

    fn message(&self, header: &Header) -> contract::Model {
        let in_use = self.0.memory.model().is_some_and(|used| used.model.header.id == header.id);
        contract::Model {
            id: header.id.clone(),
            trained_us: header.trained_us,
            factors: header.factors as u32,
            profiles: header.profiles,
            titles: header.titles.len() as u64,
            plays: header.plays,
            recall_at_20: header.recall_at_20,
            ndcg_at_100: header.ndcg_at_100,
            in_use,
            seconds: header.seconds,
        }
    }
}

impl Inner {
    fn allowed(&self, titles: &Arc<Titles>, audience: Audience, now_us: i64) -> Arc<Allowed> {
        let holds = |(since_us, of, allowed): &(i64, Arc<Titles>, Arc<Allowed>)| {
            Arc::ptr_eq(of, titles) && (*since_us..allowed.until_us).contains(&now_us)
        };
        if let Some((_, _, allowed)) = self.allowed.get(&audience, holds) {
            return allowed;
        }
        let allowed = Arc::new(titles.allowed(&audience, now_us));
        self.allowed.put(audience, (now_us, Arc::clone(titles), Arc::clone(&allowed)));
        allowed
    }

    fn ranking(&self, titles: &Arc<Titles>, place: Place, now_us: i64) -> Arc<Ranking> {
        let holds = |(until, of, _): &Known<Ranking>| Arc::ptr_eq(of, titles) && Instant::now() < *until;
        if let Some((_, _, ranking)) = self.rankings.get(&place, holds) {
            return ranking;
        }
        let start = Instant::now();
        let ranking = Arc::new(self.memory.popular().ranking(place, now_us, |title| titles.shown(title)));
        let until = Instant::now() + (start.elapsed() * FRESH_TIMES).min(FRESH);
        self.rankings.put(place, (until, Arc::clone(titles), Arc::clone(&ranking)));
        ranking
    }

    fn alike(
        &self,
        titles: &Arc<Titles>,
        used: Option<&InUse>,
        watched: &Ranking,
        to: u32,
        now_us: i64,
    ) -> Arc<Vec<u32>> {
        let model = used.map(|used| &used.model);
        let holds = |((until, of, _), by): &Alike| {
            let same = match (by, model) {
                (Some(by), Some(model)) => Arc::ptr_eq(by, model),
                (None, None) => true,
                _ => false,
            };
            same && Arc::ptr_eq(of, titles) && Instant::now() < *until
        };
        if let Some(((_, _, found), _)) = self.alike.get(&to, holds) {
            return found;
        }
        let found = Arc::new(alike(titles, &self.memory.together(), used, watched, to, now_us));
        self.alike.put(to, ((Instant::now() + ALIKE_FRESH, Arc::clone(titles), Arc::clone(&found)), model.cloned()));
        found
    }

    /// The profile's factors in a model; nothing where it watched nothing that the model knows.
    fn vector(&self, profile: &str, titles: &Titles, record: &Record, used: &InUse) -> Option<Arc<Vec<f32>>> {
        let mut watched: Vec<(i64, u32, f32)> = seen(titles, record)
            .into_iter()
            .filter(|(_, its)| its.interest > 0.0)
            .filter_map(|(title, its)| Some((its.latest_us, used.row(title)?, its.interest)))
            .collect();
        if watched.is_empty() {
            return None;
        }
        watched.sort_unstable_by_key(|(at_us, row, _)| (std::cmp::Reverse(*at_us), *row));
        let alpha = used.model.header.alpha;
        let known = watched.iter().take(ASKED_WITH).map(|(_, row, interest)| (*row, 1.0 + alpha * interest));
        let known: Vec<(u32, f32)> = known.collect();
        let mut hasher = DefaultHasher::new();
        known.iter().for_each(|(row, confidence)| (row, confidence.to_bits()).hash(&mut hasher));
        let made_of = hasher.finish();
        let holds = |(of, model, _): &Folded| *of == made_of && Arc::ptr_eq(model, &used.model);
        let key = profile.to_owned();
        if let Some((_, _, vector)) = self.vectors.get(&key, holds) {
            return Some(vector);
        }
        let vector = Arc::new(used.model.fold.fold(&known));
        self.vectors.put(key, (made_of, Arc::clone(&used.model), Arc::clone(&vector)));
        Some(vector)
    }

    /// Hands all that a viewer's rows are made of to `show`. Blocks.
    fn view<T>(&self, asker: &Asker, show: impl FnOnce(&View) -> T) -> Result<T, RecommendError> {
        let (titles, now_us) = (self.memory.titles(), self.clock.now_us());
        let record = match &asker.profile {
            Some(profile) => self.memory.store.record(profile.as_str())?,
            None => Record::default(),
        };
        let allowed = self.allowed(&titles, asker.audience, now_us);
        let here = self.ranking(&titles, Place::In(asker.audience.territory), now_us);
        let everywhere = self.ranking(&titles, Place::Everywhere, now_us);
        let model = self.memory.model();
        let vector = model.as_ref().zip(asker.profile.as_ref());
        let vector = vector.and_then(|(used, profile)| self.vector(profile.as_str(), &titles, &record, used));
        let watched = Arc::clone(&everywhere);
        let like = |to: u32| self.alike(&titles, model.as_deref(), &watched, to, now_us);
        Ok(show(&View {
            titles: &titles,
            allowed: &allowed,
            record: &record,
            here,
            everywhere,
            memory: &self.memory,
            alike: &like,
            model: model.clone(),
            vector,
            territory: &asker.territory,
            now_us,
        }))
    }
}

/// Who asks, checked.
struct Asker {
    profile: Option<ProfileId>,
    audience: Audience,
    // As it was said: empty where it is not known.
    territory: String,
}

impl Asker {
    fn of(viewer: Option<Viewer>) -> Result<Self, RecommendError> {
        let Viewer { profile, territory, maturity_limit, .. } = viewer.unwrap_or_default();
        let refused = |field, reason: String| RecommendError::Field { field, reason };
        let profile = match profile.as_str() {
            "" => None,
            id => Some(ProfileId::parse(id).map_err(|error| refused("viewer.profile", error.to_string()))?),
        };
        let known = if territory.is_empty() { NOWHERE } else { &territory };
        let place = Territory::parse(known).map_err(|error| refused("viewer.territory", error.to_string()))?;
        let territory = if territory.is_empty() { String::new() } else { place.to_string() };
        Ok(Self { profile, audience: Audience { territory: place, maturity_limit }, territory })
    }
}

/// What was asked for, or what is usual where that is 0, within the bound.
fn count(asked: u32, (usual, most): (u32, u32)) -> usize {
    (if asked == 0 { usual } else { asked.min(most) }) as usize
}

fn ids(titles: &Titles, numbers: &[u32]) -> Vec<String> {
    numbers.iter().filter_map(|number| Some(titles.fact(*number)?.id.to_string())).collect()
}

#[tonic::async_trait]
impl Recommend for RecommendService {
    async fn home(&self, request: Request<HomeRequest>) -> Result<Response<HomeReply>, Status> {
        let HomeRequest { viewer, rows, titles_a_row } = request.into_inner();
        let asker = Asker::of(viewer)?;
        let (rows, most, inner) = (count(rows, ROWS), count(titles_a_row, TITLES), Arc::clone(&self.0));
        let make = move || {
            inner.view(&asker, |view| {
                let row = |row: &crate::rows::Row| contract::Row {
                    kind: row.kind.to_owned(),
                    id: row.id(),
                    of: row.of.clone(),
                    titles: ids(view.titles, &row.titles),
                };
                let rows = home(view, rows, most).iter().map(row).collect();
                let model = view.model.as_ref().map_or(String::new(), |used| used.model.header.id.clone());
                HomeReply { rows, model }
            })
        };
        Ok(Response::new(self.in_turn(make).await?))
    }

    async fn similar(&self, request: Request<SimilarRequest>) -> Result<Response<SimilarReply>, Status> {
        let SimilarRequest { viewer, title, limit } = request.into_inner();
        let asker = Asker::of(viewer)?;
        let title = TitleId::parse(&title)
            .map_err(|error| RecommendError::Field { field: "title", reason: error.to_string() })?;
        let (most, inner) = (count(limit, SIMILAR), Arc::clone(&self.0));
        let make = move || {
            inner.view(&asker, |view| {
                let Some(number) = view.titles.number(title.as_str()) else { return SimilarReply::default() };
                let seen = seen(view.titles, view.record);
                let disliked = |other: &u32| seen.get(other).is_some_and(|its| its.down);
                let like = (view.alike)(view.titles.shown(number));
                let like = like.iter().copied().filter(|other| view.allowed.has(*other) && !disliked(other));
                SimilarReply { titles: ids(view.titles, &like.take(most).collect::<Vec<_>>()) }
            })
        };
        Ok(Response::new(self.in_turn(make).await?))
    }

    async fn train(&self, _: Request<TrainRequest>) -> Result<Response<contract::Model>, Status> {
        // A caller that goes away does not stop it.
        let service = self.clone();
        let trained = tokio::spawn(async move { service.train_one().await });
        let header = trained.await.map_err(RecommendError::from)??;
        Ok(Response::new(self.message(&header)))
    }

    async fn list_models(&self, _: Request<ListModelsRequest>) -> Result<Response<ListModelsReply>, Status> {
        let mut models = Vec::new();
        for id in self.0.models.ids().await?.into_iter().rev() {
            match self.0.models.load(&id).await {
                Ok(model) => models.push(self.message(&model.header)),
                Err(error) => tracing::warn!(%error, "a model is passed over"),
            }
        }
        Ok(Response::new(ListModelsReply { models }))
    }

    async fn use_model(&self, request: Request<UseModelRequest>) -> Result<Response<contract::Model>, Status> {
        let model = self.0.models.load(&request.get_ref().id).await?;
        self.0.models.set_used(&model.header.id).await?;
        let header = model.header.clone();
        self.0.memory.use_model(model);
        Ok(Response::new(self.message(&header)))
    }
}
