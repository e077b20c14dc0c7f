//! One transaction that writes: what changes with what, and that each change is told.

mod people;

use matinee_contracts::catalog as contract;
use matinee_contracts::events::TitleChanged;
use matinee_model::ids::TitleId;
use prost::Message;
use sqlx::{Sqlite, SqliteConnection, Transaction};

use super::rows::{find, known, save};
use crate::details::{Details, Kind};
use crate::error::{CatalogError, refused};
use crate::store::Written;
use crate::title::{Card, Edition, PublishedTitle, Said, Title, UnpublishedTitle};

/// Whether those who are credited must be there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Credited {
    /// They must.
    Known,
    /// Those who are not are made, by the name in the credit.
    Made,
}

/// What a write did to a title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Added,
    Changed,
    Unchanged,
}

/// A transaction, and the titles that are others with it.
pub(super) struct Step {
    transaction: Transaction<'static, Sqlite>,
    now_us: i64,
    changed: Vec<Title>,
}

impl Step {
    pub(super) fn new(transaction: Transaction<'static, Sqlite>, now_us: i64) -> Self {
        Self { transaction, now_us, changed: Vec::new() }
    }

    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }

    pub(super) async fn commit<T>(self, done: T) -> Result<Written<T>, CatalogError> {
        self.transaction.commit().await?;
        Ok(Written { done, changed: self.changed })
    }

    pub(super) async fn roll_back<T>(self, done: T) -> Result<Written<T>, CatalogError> {
        self.transaction.rollback().await?;
        Ok(Written { done, changed: Vec::new() })
    }

    /// A title, where it is at the revision that the caller expects.
    pub(super) async fn expected(&mut self, id: &TitleId, expected: Option<u64>) -> Result<Title, CatalogError> {
        let title = known(&mut self.transaction, id).await?;
        at_revision(id, title.card().revision, expected)?;
        Ok(title)
    }

    /// Adds a title, or changes what is said about it.
    pub(super) async fn put(
        &mut self,
        said: Said,
        expected: Option<u64>,
        credited: Credited,
    ) -> Result<(Title, Effect), CatalogError> {
        let Said { id, words, mut details, artwork } = said;
        let before = find(&mut self.transaction, &id).await?;
        at_revision(&id, before.as_ref().map_or(0, |title| title.card().revision), expected)?;
        self.name_people(&mut details, credited).await?;
        let Some(before) = before else {
            self.check_place(&id, None, &details).await?;
            let card = Card {
                id: id.clone(),
                words,
                details,
                artwork,
                pictures: Vec::new(),
                created_us: self.now_us,
                revision: self.revive(&id).await?,
            };
            let title = Title::Unpublished(UnpublishedTitle { card, shown_us: None });
            self.keep(None, title.clone()).await?;
            return Ok((title, Effect::Added));
        };
        let card = before.card();
        let artwork = artwork.or_else(|| card.artwork.clone());
        if card.words == words && card.details == details && card.artwork == artwork {
            return Ok((before, Effect::Unchanged));
        }
        self.check_place(&id, Some(&before), &details).await?;
        let changed = Card { words, details, artwork, revision: card.revision + 1, ..card.clone() };
        let after = with_card(&before, changed);
        self.keep(Some(&before), after.clone()).await?;
        Ok((after, Effect::Changed))
    }

    /// From here on a title plays in `edition`, or in none.
    pub(super) async fn switch(&mut self, before: &Title, edition: Option<Edition>) -> Result<Title, CatalogError> {
        let card = before.card();
        let card = Card { revision: card.revision + 1, ..card.clone() };
        let after = match edition {
            Some(edition) => Title::Published(PublishedTitle { card, edition, published_us: self.now_us }),
            None => Title::Unpublished(UnpublishedTitle { card, shown_us: None }),
        };
        self.keep(Some(before), after.clone()).await?;
        Ok(after)
    }

    /// Changes a title's card, and nothing that others hang on.
    pub(super) async fn change(
        &mut self,
        before: &Title,
        change: impl FnOnce(&mut Card),
    ) -> Result<Title, CatalogError> {
        let mut card = before.card().clone();
        change(&mut card);
        card.revision += 1;
        let after = with_card(before, card);
        self.keep(Some(before), after.clone()).await?;
        Ok(after)
    }

    /// Takes a title out, and says which revision its end is.
    pub(super) async fn remove(&mut self, title: &Title) -> Result<u64, CatalogError> {
        let card = title.card();
        if card.details.kind() == Kind::Series {
            let episodes = self.episodes(&card.id).await?;
            if episodes > 0 {
                return Err(CatalogError::HasEpisodes { series: card.id.clone(), episodes });
            }
        }
        let (id, revision) = (card.id.as_str(), card.revision + 1);
        for table in [
            "DELETE FROM title WHERE id = $1",
            "DELETE FROM title_genre WHERE title = $1",
            "DELETE FROM title_person WHERE title = $1",
        ] {
            sqlx::query(table).bind(id).execute(&mut *self.transaction).await?;
        }
        sqlx::query(
            "INSERT INTO gone_title (title, revision) VALUES ($1, $2)
             ON CONFLICT (title) DO UPDATE SET revision = excluded.revision",
        )
        .bind(id)
        .bind(revision as i64)
        .execute(&mut *self.transaction)
        .await?;
        let message = contract::Title { id: id.to_owned(), revision, ..contract::Title::default() };
        self.tell(id, TitleChanged { title: Some(message), deleted: true, at_us: self.now_us }).await?;
        if let Some(place) = card.details.place() {
            self.show_series(&place.series).await?;
        }
        Ok(revision)
    }

    /// Refuses a place that is taken or not there, and a kind that a title can't become.
    async fn check_place(
        &mut self,
        id: &TitleId,
        before: Option<&Title>,
        details: &Details,
    ) -> Result<(), CatalogError> {
        if details.kind() == Kind::Series && matches!(before, Some(Title::Published(_))) {
            return Err(refused("kind", "it plays as a film: a series is watched by its episodes"));
        }
        let was_series = before.is_some_and(|title| title.card().details.kind() == Kind::Series);
        if was_series && details.kind() != Kind::Series {
            let episodes = self.episodes(id).await?;
            if episodes > 0 {
                return Err(refused("kind", format!("it is a series that has {episodes} episodes")));
            }
        }
        let Some(place) = details.place() else { return Ok(()) };
        match find(&mut self.transaction, &place.series).await? {
            None => return Err(refused("series", format!("title {} does not exist", place.series))),
            Some(title) if title.card().details.kind() != Kind::Series => {
                return Err(refused("series", format!("title {} is not a series", place.series)));
            }
            Some(_) => {}
        }
        let taken: Option<String> =
            sqlx::query_scalar("SELECT id FROM title WHERE series = $1 AND season = $2 AND episode = $3 AND id <> $4")
                .bind(place.series.as_str())
                .bind(i64::from(place.season))
                .bind(i64::from(place.episode))
                .bind(id.as_str())
                .fetch_optional(&mut *self.transaction)
                .await?;
        match taken {
            Some(other) => {
                let (season, episode) = (place.season, place.episode);
                Err(refused("episode", format!("season {season}, episode {episode} is title {other}")))
            }
            None => Ok(()),
        }
    }

    /// How many episodes a series has.
    async fn episodes(&mut self, series: &TitleId) -> Result<u64, CatalogError> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM title WHERE series = $1")
            .bind(series.as_str())
            .fetch_one(&mut *self.transaction)
            .await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// The revision of a title that is new, or came back.
    async fn revive(&mut self, id: &TitleId) -> Result<u64, CatalogError> {
        let gone: Option<i64> = sqlx::query_scalar("DELETE FROM gone_title WHERE title = $1 RETURNING revision")
            .bind(id.as_str())
            .fetch_optional(&mut *self.transaction)
            .await?;
        Ok(gone.and_then(|revision| u64::try_from(revision).ok()).unwrap_or(0) + 1)
    }

    /// Writes a title in all its tables, tells of it, and shows its series as it is then.
    async fn keep(&mut self, before: Option<&Title>, after: Title) -> Result<(), CatalogError> {
        save(&mut self.transaction, &after).await?;
        let (was, is) = (before.map(|title| &title.card().details), &after.card().details);
        self.index(after.card(), was).await?;
        let told = TitleChanged { title: Some(after.message()), deleted: false, at_us: self.now_us };
        self.tell(after.card().id.as_str(), told).await?;
        let mut series: Vec<TitleId> = [was, Some(is)]
            .into_iter()
            .flatten()
            .filter_map(|details| details.place().map(|place| place.series.clone()))
            .collect();
        series.dedup();
        self.changed.push(after);
        for series in series {
            self.show_series(&series).await?;
        }
        Ok(())
    }

    /// By genre and by person.
    async fn index(&mut self, card: &Card, was: Option<&Details>) -> Result<(), CatalogError> {
        let is = card.details.message();
        let people = |title: &contract::Title| {
            let mut people: Vec<String> = title.people.iter().map(|credit| credit.person.clone()).collect();
            people.retain(|id| !id.is_empty());
            people.sort();
            people.dedup();
            people
        };
        let tables = [
            (
                was.map(|was| was.message().genres.clone()).unwrap_or_default(),
                is.genres.clone(),
                "DELETE FROM title_genre WHERE title = $1",
                "INSERT INTO title_genre (title, genre) VALUES ($1, $2)",
            ),
            (
                was.map(|was| people(was.message())).unwrap_or_default(),
                people(is),
                "DELETE FROM title_person WHERE title = $1",
                "INSERT INTO title_person (title, person) VALUES ($1, $2)",
            ),
        ];
        for (was, is, forget, insert) in tables {
            if was == is {
                continue;
            }
            sqlx::query(forget).bind(card.id.as_str()).execute(&mut *self.transaction).await?;
            for value in is {
                sqlx::query(insert).bind(card.id.as_str()).bind(value).execute(&mut *self.transaction).await?;
            }
        }
        Ok(())
    }

    /// Shows a series since its newest episode that plays, and tells of that where it is new.
    async fn show_series(&mut self, id: &TitleId) -> Result<(), CatalogError> {
        let newest: Option<i64> = sqlx::query_scalar("SELECT max(published_us) FROM title WHERE series = $1")
            .bind(id.as_str())
            .fetch_one(&mut *self.transaction)
            .await?;
        let Some(Title::Unpublished(series)) = find(&mut self.transaction, id).await? else { return Ok(()) };
        if series.shown_us == newest {
            return Ok(());
        }
        let card = Card { revision: series.card.revision + 1, ..series.card };
        let after = Title::Unpublished(UnpublishedTitle { card, shown_us: newest });
        save(&mut self.transaction, &after).await?;
        let told = TitleChanged { title: Some(after.message()), deleted: false, at_us: self.now_us };
        self.tell(id.as_str(), told).await?;
        self.changed.push(after);
        Ok(())
    }

    /// The next number of what others must hear of.
    pub(super) async fn seq(&mut self) -> Result<i64, CatalogError> {
        let next = sqlx::query_scalar("UPDATE announcement_seq SET next = next + 1 WHERE one = 1 RETURNING next");
        Ok(next.fetch_one(&mut *self.transaction).await?)
    }

    async fn tell(&mut self, title: &str, event: TitleChanged) -> Result<(), CatalogError> {
        let seq = self.seq().await?;
        sqlx::query("INSERT INTO title_change (seq, title, payload) VALUES ($1, $2, $3)")
            .bind(seq)
            .bind(title)
            .bind(event.encode_to_vec())
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }
}

fn at_revision(title: &TitleId, current: u64, expected: Option<u64>) -> Result<(), CatalogError> {
    match expected {
        Some(expected) if expected != current => Err(CatalogError::Changed { title: title.clone(), current, expected }),
        _ => Ok(()),
    }
}

/// A title with another card; what it plays in stays.
fn with_card(title: &Title, card: Card) -> Title {
    match title {
        Title::Published(title) => Title::Published(PublishedTitle { card, ..title.clone() }),
        Title::Unpublished(title) => Title::Unpublished(UnpublishedTitle { card, ..title.clone() }),
    }
}
