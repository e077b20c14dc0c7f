//! The catalogue's part of the graph: what is said about titles, to who may watch them here and now.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use async_graphql::dataloader::Loader;
use async_graphql::{Context, EmptyMutation, Enum, ID, Object, Result, SimpleObject};
use matinee_contracts::catalog as contract;
use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::catalog::{GetTitlesRequest, ListTitlesRequest, TitleKind};
use matinee_contracts::viewer::Viewer;
use matinee_model::ids::TitleId;
use matinee_model::licence::{LicenceWindow, Licensed, licensed};
use matinee_model::territory::{Reach, Territory};
use matinee_service::channel::Channel;
use matinee_service::subgraph::{Schemed, Subgraph, loader, refused, viewer};
use tonic::Status;

/// The subgraph, over the service wherever it is.
#[must_use]
pub fn subgraph(catalog: CatalogClient<Channel>) -> Arc<dyn Subgraph> {
    let titles = Titles(catalog.clone());
    Arc::new(Schemed::new("catalog", Query { catalog }, EmptyMutation).batching(move |_| titles.clone()))
}

/// Titles by their ids.
#[derive(Clone)]
struct Titles(CatalogClient<Channel>);

impl Loader<String> for Titles {
    type Value = contract::Title;
    type Error = Status;

    async fn load(&self, ids: &[String]) -> std::result::Result<HashMap<String, contract::Title>, Status> {
        let found = self.0.clone().get_titles(GetTitlesRequest { ids: ids.to_vec() }).await?.into_inner();
        Ok(found.titles.into_iter().map(|title| (title.id.clone(), title)).collect())
    }
}

/// What a title is.
#[derive(Enum, Copy, Clone, PartialEq, Eq)]
enum Kind {
    Movie,
    Series,
    Episode,
}

impl From<Kind> for TitleKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Movie => Self::Movie,
            Kind::Series => Self::Series,
            Kind::Episode => Self::Episode,
        }
    }
}

/// Somebody who made a title or acts in it.
#[derive(SimpleObject)]
struct Credit {
    id: ID,
    name: String,
    /// "cast", "director", "writer", …
    job: String,
    character: Option<String>,
}

/// A movie, a series or an episode.
struct Title(contract::Title);

#[Object]
impl Title {
    async fn id(&self) -> ID {
        self.0.id.clone().into()
    }

    async fn kind(&self) -> Kind {
        match self.0.kind() {
            TitleKind::Series => Kind::Series,
            TitleKind::Episode => Kind::Episode,
            TitleKind::Movie | TitleKind::Unspecified => Kind::Movie,
        }
    }

    /// In the viewer's language, where it is known in it.
    async fn name(&self, context: &Context<'_>) -> String {
        let words = self.words(context).map(|words| words.name.clone()).filter(|name| !name.is_empty());
        words.unwrap_or_else(|| self.0.name.clone())
    }

    async fn original_name(&self) -> Option<String> {
        said(&self.0.original_name)
    }

    /// In the viewer's language, where it is known in it.
    async fn description(&self, context: &Context<'_>) -> String {
        let words = self.words(context).map(|words| words.description.clone()).filter(|text| !text.is_empty());
        words.unwrap_or_else(|| self.0.description.clone())
    }

    async fn credits(&self) -> String {
        self.0.credits.clone()
    }

    /// Of the work: "CC BY 3.0".
    async fn license(&self) -> String {
        self.0.license.clone()
    }

    async fn year(&self) -> Option<u32> {
        Some(self.0.year).filter(|year| *year > 0)
    }

    async fn genres(&self) -> &[String] {
        &self.0.genres
    }

    async fn people(&self) -> Vec<Credit> {
        let credit = |credit: &contract::Credit| Credit {
            id: credit.person.clone().into(),
            name: credit.name.clone(),
            job: credit.job.clone(),
            character: said(&credit.character),
        };
        self.0.people.iter().map(credit).collect()
    }

    /// From this age on; 0: for all.
    async fn maturity_age(&self, context: &Context<'_>) -> u32 {
        age(&self.0, &viewer(context).territory)
    }

    async fn duration_seconds(&self) -> f64 {
        self.0.duration_us as f64 / 1e6
    }

    async fn original_language(&self) -> Option<String> {
        said(&self.0.original_language)
    }

    async fn audio_languages(&self) -> &[String] {
        &self.0.audio_languages
    }

    async fn subtitle_languages(&self) -> &[String] {
        &self.0.subtitle_languages
    }

    /// Of an episode: the series' id.
    async fn series_id(&self) -> Option<ID> {
        said(&self.0.series).map(ID::from)
    }

    /// Of an episode, from 1; 0 for specials.
    async fn season(&self) -> Option<u32> {
        Some(self.0.season).filter(|_| !self.0.series.is_empty())
    }

    /// Of an episode, from 1.
    async fn episode(&self) -> Option<u32> {
        Some(self.0.episode).filter(|_| !self.0.series.is_empty())
    }
}

impl Title {
    fn words(&self, context: &Context<'_>) -> Option<&contract::LocalizedWords> {
        let languages = viewer(context).languages;
        languages.iter().find_map(|language| {
            let exactly = self.0.localized.iter().find(|words| &words.language == language);
            let base = language.split('-').next().unwrap_or(language);
            exactly.or_else(|| self.0.localized.iter().find(|words| words.language == base))
        })
    }
}

fn said(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

fn age(title: &contract::Title, territory: &str) -> u32 {
    let here = title.ratings.iter().find(|rating| rating.territory == territory);
    here.map_or(title.maturity_age, |rating| rating.age)
}

/// A title that may be watched here and now.
async fn one(context: &Context<'_>, id: ID) -> Result<Option<Title>> {
    // What is no id is nothing's.
    let Ok(id) = TitleId::parse(id.as_str()) else { return Ok(None) };
    let found = loader::<Titles>(context)?.load_one(id.into()).await.map_err(|status| refused(&status))?;
    Ok(found.filter(|title| shown(title, &viewer(context))).map(Title))
}

/// Whether a title is shown to a viewer: published, for its age, and licensed where and when it is asked for.
fn shown(title: &contract::Title, viewer: &Viewer) -> bool {
    if title.version.is_empty() && title.kind() != TitleKind::Series {
        return false;
    }
    let age = age(title, &viewer.territory);
    if viewer.maturity_limit > 0 && age > viewer.maturity_limit {
        return false;
    }
    let Ok(territory) = Territory::parse(&viewer.territory) else { return title.windows.is_empty() };
    let windows = title.windows.iter().filter_map(|window| {
        let reach = Reach::parse(&window.territory).ok()?;
        Some(LicenceWindow { reach, from_us: window.from_us, until_us: Some(window.until_us).filter(|us| *us > 0) })
    });
    let windows: Vec<LicenceWindow> = windows.collect();
    // A window that can't be read keeps the title hidden.
    windows.len() == title.windows.len() && matches!(licensed(&windows, territory, now_us()), Licensed::Until(_))
}

fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

struct Query {
    catalog: CatalogClient<Channel>,
}

#[Object]
impl Query {
    /// A title that may be watched here and now.
    async fn title(&self, context: &Context<'_>, id: ID) -> Result<Option<Title>> {
        one(context, id).await
    }

    /// Titles that may be watched here and now, in the order of their ids.
    async fn titles(
        &self,
        context: &Context<'_>,
        #[graphql(default = 20)] first: u32,
        after: Option<ID>,
        genre: Option<String>,
        kind: Option<Kind>,
    ) -> Result<Vec<Title>> {
        let request = ListTitlesRequest {
            published_only: false,
            limit: first.clamp(1, 100),
            after: after.map(|id| id.to_string()).unwrap_or_default(),
            genre: genre.unwrap_or_default(),
            kind: kind.map_or(TitleKind::Unspecified, TitleKind::from).into(),
            ..ListTitlesRequest::default()
        };
        let viewer = viewer(context);
        let found = self.catalog.clone().list_titles(request).await.map_err(|status| refused(&status))?.into_inner();
        Ok(found.titles.into_iter().filter(|title| shown(title, &viewer)).map(Title).collect())
    }

    #[graphql(entity)]
    async fn find_title(&self, context: &Context<'_>, id: ID) -> Result<Option<Title>> {
        one(context, id).await
    }
}
