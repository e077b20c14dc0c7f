//! The gRPC contract over the store.

mod bulk;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use matinee_contracts::catalog as contract;
use matinee_contracts::catalog::catalog_server::{Catalog, CatalogServer};
use matinee_contracts::catalog::{
    DeleteTitleRequest, Done, ExportReply, ExportRequest, Genre, GetPersonRequest, GetTitleRequest, GetTitlesRequest,
    ImportReply, ImportRequest, ListGenresReply, ListGenresRequest, ListPeopleReply, ListPeopleRequest,
    ListTitlesReply, ListTitlesRequest, PublishRequest, PutArtworkRequest, PutPersonRequest, PutTitleRequest,
    SetWindowsRequest, UnpublishRequest,
};
use matinee_engines::events::Events;
use matinee_model::genre;
use matinee_model::language::Language;
use matinee_service::clock::{Clock, SystemClock};
use prost::Message;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use tracing::Instrument;

use crate::announce::announce;
use crate::details::{Kind, windows};
use crate::error::{CatalogError, refused};
use crate::person::{Person, person_id};
use crate::pictures::{PictureKind, Pictures};
use crate::recent::Recent;
use crate::store::{CatalogStore, Shelf, SqliteCatalog, Wanted, Written};
use crate::title::{Artwork, Edition, Said, title_id};

/// Titles of a list where the caller names no limit, and the most there are in one.
const MOST_LISTED: u32 = 500;
/// Bytes of titles after which a list ends early: an answer must fit in what callers take.
const MOST_LISTED_BYTES: usize = 3 << 20;
/// The largest request, in bytes: a whole catalogue, or a picture.
const MOST_RECEIVED: usize = 40 << 20;

/// The catalogue. Cheap to clone.
#[derive(Debug, Clone)]
pub struct CatalogService {
    store: Arc<dyn CatalogStore>,
    clock: Arc<dyn Clock>,
    recent: Recent,
    pictures: Option<Pictures>,
    /// Something was written in this process.
    news: Arc<Notify>,
}

impl CatalogService {
    /// Over the embedded store in the file at `path`. Without [`CatalogService::with_pictures`], it takes no artwork.
    pub async fn open(path: &Path) -> Result<Self, CatalogError> {
        Ok(Self::new(Arc::new(SqliteCatalog::open(path).await?), Arc::new(SystemClock)))
    }

    /// Over any store, by any clock.
    #[must_use]
    pub fn new(store: Arc<dyn CatalogStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, recent: Recent::new(), pictures: None, news: Arc::default() }
    }

    /// The same, with what makes artwork.
    #[must_use]
    pub fn with_pictures(self, pictures: Pictures) -> Self {
        Self { pictures: Some(pictures), ..self }
    }

    /// The contract, to be called or hosted.
    #[must_use]
    pub fn server(&self) -> CatalogServer<Self> {
        CatalogServer::new(self.clone()).max_decoding_message_size(MOST_RECEIVED)
    }

    /// Announces what is written to `log`, until `shutdown`. One process of an installation does so.
    pub async fn announce(&self, log: Events, shutdown: CancellationToken) {
        announce(Arc::clone(&self.store), log, Arc::clone(&self.news), shutdown).await;
    }

    /// Carries a write out to its end, also where the caller goes away meanwhile: what is committed must be seen by the
    /// next read.
    async fn write<T: Send + 'static>(
        &self,
        write: impl Future<Output = Result<Written<T>, CatalogError>> + Send + 'static,
    ) -> Result<T, Status> {
        let (recent, news) = (self.recent.clone(), Arc::clone(&self.news));
        let whole = async move {
            let Written { done, changed } = write.await?;
            for title in &changed {
                recent.keep(title.message()).await;
            }
            news.notify_one();
            Ok::<_, CatalogError>(done)
        };
        let finished = tokio::spawn(whole.in_current_span()).await;
        Ok(finished.map_err(|error| Status::internal(format!("the catalogue's write ended: {error}")))??)
    }

    /// A title, from what was read lately or from the store.
    async fn title(&self, id: &str) -> Result<Arc<contract::Title>, CatalogError> {
        let id = title_id("id", id)?;
        if let Some(title) = self.recent.get(id.as_str()).await {
            return Ok(title);
        }
        Ok(self.recent.keep(self.store.title(&id).await?.message()).await)
    }
}

#[tonic::async_trait]
impl Catalog for CatalogService {
    async fn put_title(&self, request: Request<PutTitleRequest>) -> Result<Response<contract::Title>, Status> {
        let title = request.into_inner().title.ok_or_else(|| refused("title", "it is missing"))?;
        let expected = revision(title.revision);
        let said = Said::parse(title)?;
        let (store, now_us) = (Arc::clone(&self.store), self.clock.now_us());
        let title = self.write(async move { store.put(said, expected, now_us).await }).await?;
        Ok(Response::new(title.message()))
    }

    async fn get_title(&self, request: Request<GetTitleRequest>) -> Result<Response<contract::Title>, Status> {
        let title = self.title(&request.get_ref().id).await?;
        Ok(Response::new(contract::Title::clone(&title)))
    }

    async fn get_titles(&self, request: Request<GetTitlesRequest>) -> Result<Response<ListTitlesReply>, Status> {
        let ids = request.into_inner().ids;
        if ids.len() > MOST_LISTED as usize {
            return Err(refused("ids", format!("there are {}, at most {MOST_LISTED} are taken", ids.len())).into());
        }
        let (mut known, mut asked) = (HashMap::new(), Vec::new());
        for (i, id) in ids.iter().enumerate() {
            let parsed = title_id(&format!("ids[{i}]"), id)?;
            match self.recent.get(id).await {
                Some(title) => drop(known.insert(id.clone(), title)),
                None => asked.push(parsed),
            }
        }
        for title in self.store.titles(&asked).await? {
            let title = self.recent.keep(title.message()).await;
            known.insert(title.id.clone(), title);
        }
        let titles = ids.iter().filter_map(|id| known.get(id)).map(|title| contract::Title::clone(title)).collect();
        Ok(Response::new(ListTitlesReply { titles }))
    }

    async fn list_titles(&self, request: Request<ListTitlesRequest>) -> Result<Response<ListTitlesReply>, Status> {
        let request = request.into_inner();
        if !request.after.is_empty() {
            title_id("after", &request.after)?;
        }
        let given = |text: &String| !text.is_empty();
        let series = Some(&request.series).filter(|id| given(id)).map(|id| title_id("series", id)).transpose()?;
        let genre = Some(request.genre).filter(given);
        if genre.as_ref().is_some_and(|slug| !genre::is_slug(slug)) {
            return Err(refused("genre", "it is not a slug such as science-fiction").into());
        }
        let wanted = Wanted {
            shelf: if request.published_only { Shelf::Published } else { Shelf::All },
            kind: Some(request.kind).filter(|kind| *kind != 0).map(Kind::heard).transpose()?,
            series,
            genre,
        };
        let titles = self.store.list(&wanted, &request.after, limit(request.limit)).await?;
        let mut room = MOST_LISTED_BYTES;
        let fits = |title: &contract::Title| {
            // The first one is told in any case: a list that does not move on has no end.
            let first = room == MOST_LISTED_BYTES;
            let size = title.encoded_len();
            let fits = first || size <= room;
            room = room.saturating_sub(size);
            fits
        };
        let titles = titles.iter().map(crate::title::Title::message).take_while(fits).collect();
        Ok(Response::new(ListTitlesReply { titles }))
    }

    async fn publish(&self, request: Request<PublishRequest>) -> Result<Response<contract::Title>, Status> {
        let request = request.into_inner();
        let id = title_id("title", &request.title)?;
        let edition = Edition::new(&request.version, request.duration_us)?;
        let artwork = Artwork::parse(&request.artwork)?;
        let (store, now_us) = (Arc::clone(&self.store), self.clock.now_us());
        let write = async move { store.publish(&id, &edition, artwork.as_ref(), now_us).await };
        Ok(Response::new(self.write(write).await?.message()))
    }

    async fn unpublish(&self, request: Request<UnpublishRequest>) -> Result<Response<contract::Title>, Status> {
        let id = title_id("title", &request.get_ref().title)?;
        let (store, now_us) = (Arc::clone(&self.store), self.clock.now_us());
        let write = async move { store.unpublish(&id, now_us).await };
        Ok(Response::new(self.write(write).await?.message()))
    }

    async fn delete_title(&self, request: Request<DeleteTitleRequest>) -> Result<Response<Done>, Status> {
        let request = request.into_inner();
        let (id, expected) = (title_id("id", &request.id)?, revision(request.revision));
        let (store, recent, now_us) = (Arc::clone(&self.store), self.recent.clone(), self.clock.now_us());
        let pictures = self.pictures.clone();
        let write = async move {
            let written = store.delete(&id, expected, now_us).await?;
            if let Some(revision) = written.done {
                recent.gone(id.as_str(), revision).await;
                if let Some(Err(error)) = async { Some(pictures?.remove(&id).await) }.await {
                    tracing::warn!(title = %id, %error, "pictures of a title that is gone can't be removed");
                }
            }
            Ok(written)
        };
        self.write(write).await?;
        Ok(Response::new(Done {}))
    }

    async fn set_windows(&self, request: Request<SetWindowsRequest>) -> Result<Response<contract::Title>, Status> {
        let request = request.into_inner();
        let (id, expected) = (title_id("title", &request.title)?, revision(request.revision));
        let windows = windows(request.windows)?;
        let (store, now_us) = (Arc::clone(&self.store), self.clock.now_us());
        let write = async move { store.set_windows(&id, windows, expected, now_us).await };
        Ok(Response::new(self.write(write).await?.message()))
    }

    async fn put_artwork(&self, request: Request<PutArtworkRequest>) -> Result<Response<contract::Title>, Status> {
        let request = request.into_inner();
        let id = title_id("title", &request.title)?;
        let kind = PictureKind::parse(&request.kind)?;
        let language = match request.language.as_str() {
            "" => String::new(),
            tag => Language::parse(tag).map_err(|error| refused("language", error.to_string()))?.into(),
        };
        let pictures = self.pictures.clone().ok_or(CatalogError::NoPictures)?;
        let title = self.title(id.as_str()).await?;
        let hash = blake3::hash(&request.image).to_hex();
        let same = |known: &contract::Artwork| {
            known.kind == kind.as_str() && known.language == language && known.blake3 == hash.as_str()
        };
        if title.artworks.iter().any(same) {
            return Ok(Response::new(contract::Title::clone(&title)));
        }
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock));
        let write = async move {
            let picture = pictures.make(&id, kind, &language, request.image.into()).await?;
            store.put_picture(&id, picture, clock.now_us()).await
        };
        Ok(Response::new(self.write(write).await?.message()))
    }

    async fn put_person(&self, request: Request<PutPersonRequest>) -> Result<Response<contract::Person>, Status> {
        let person = request.into_inner().person.ok_or_else(|| refused("person", "it is missing"))?;
        let expected = revision(person.revision);
        let person = Person::parse(person)?;
        let (store, now_us) = (Arc::clone(&self.store), self.clock.now_us());
        let write = async move { store.put_person(person, expected, now_us).await };
        Ok(Response::new(self.write(write).await?.message()))
    }

    async fn get_person(&self, request: Request<GetPersonRequest>) -> Result<Response<contract::Person>, Status> {
        let id = person_id("id", &request.get_ref().id)?;
        Ok(Response::new(self.store.person(&id).await?.message()))
    }

    async fn list_people(&self, request: Request<ListPeopleRequest>) -> Result<Response<ListPeopleReply>, Status> {
        let ListPeopleRequest { limit: most, after } = request.into_inner();
        if !after.is_empty() {
            person_id("after", &after)?;
        }
        let people = self.store.people(&after, limit(most)).await?;
        Ok(Response::new(ListPeopleReply { people: people.into_iter().map(Person::message).collect() }))
    }

    async fn list_genres(&self, _request: Request<ListGenresRequest>) -> Result<Response<ListGenresReply>, Status> {
        let genre = |(id, titles): (String, u32)| Genre { name: genre::name(&id, "en"), id, titles };
        Ok(Response::new(ListGenresReply { genres: self.store.genres().await?.into_iter().map(genre).collect() }))
    }

    async fn import(&self, request: Request<ImportRequest>) -> Result<Response<ImportReply>, Status> {
        self.take_in(request.into_inner()).await.map(Response::new)
    }

    async fn export(&self, request: Request<ExportRequest>) -> Result<Response<ExportReply>, Status> {
        Ok(Response::new(ExportReply { body: self.write_out(&request.get_ref().format).await? }))
    }
}

/// 0 is what a caller sends who did not read the title first.
fn revision(revision: u64) -> Option<u64> {
    Some(revision).filter(|revision| *revision > 0)
}

fn limit(limit: u32) -> u32 {
    if limit == 0 { MOST_LISTED } else { limit.min(MOST_LISTED) }
}
