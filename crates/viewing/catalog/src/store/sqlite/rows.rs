//! Rows to titles and people, and back.

use matinee_contracts::catalog as contract;
use matinee_model::ids::{PersonId, TitleId, VersionId};
use prost::Message;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::details::Details;
use crate::error::CatalogError;
use crate::person::Person;
use crate::title::{Artwork, Card, Edition, PublishedTitle, Title, UnpublishedTitle, Words};

pub(super) async fn find(connection: &mut SqliteConnection, id: &TitleId) -> Result<Option<Title>, CatalogError> {
    let row = sqlx::query("SELECT * FROM title WHERE id = $1").bind(id.as_str()).fetch_optional(connection).await?;
    row.as_ref().map(title_of).transpose()
}

pub(super) async fn known(connection: &mut SqliteConnection, id: &TitleId) -> Result<Title, CatalogError> {
    find(connection, id).await?.ok_or_else(|| CatalogError::UnknownTitle(id.clone()))
}

pub(super) fn title_of(row: &SqliteRow) -> Result<Title, CatalogError> {
    let text = |column| row.try_get::<String, _>(column);
    let id = text("id")?;
    let wrong = |error: &dyn std::fmt::Display| damaged(&id, error.to_string());
    let words = Words::new(text("name")?, text("description")?, text("credits")?, text("license")?);
    let artwork = row.try_get::<Option<String>, _>("artwork")?.unwrap_or_default();
    let details = match row.try_get::<Option<Vec<u8>>, _>("details")? {
        Some(bytes) => Details::restore(&bytes).map_err(|error| wrong(&error))?,
        // It was written before there were any.
        None => Details::default(),
    };
    let pictures = row.try_get::<Option<Vec<u8>>, _>("pictures")?.unwrap_or_default();
    let card = Card {
        id: TitleId::parse(&id).map_err(|error| wrong(&error))?,
        words: words.map_err(|error| wrong(&error))?,
        details,
        artwork: Artwork::parse(&artwork).map_err(|error| wrong(&error))?,
        pictures: contract::Title::decode(pictures.as_slice()).map_err(|error| wrong(&error))?.artworks,
        created_us: row.try_get("created_us")?,
        revision: unsigned(&id, "revision", row.try_get("revision")?)?,
    };
    let Some(version) = row.try_get::<Option<String>, _>("version")? else {
        let shown_us = row.try_get("shown_us")?;
        return Ok(Title::Unpublished(UnpublishedTitle { card, shown_us }));
    };
    let edition = Edition {
        version: version_of(&id, &version)?,
        duration_us: unsigned(&id, "duration_us", row.try_get("duration_us")?)?,
    };
    Ok(Title::Published(PublishedTitle { card, edition, published_us: row.try_get("published_us")? }))
}

/// Writes a title's row, over the one that may be there.
pub(super) async fn save(connection: &mut SqliteConnection, title: &Title) -> Result<(), CatalogError> {
    let card = title.card();
    let place = card.details.place();
    let pictures = contract::Title { artworks: card.pictures.clone(), ..contract::Title::default() };
    let (edition, published_us, shown_us) = match title {
        Title::Published(title) => (Some(&title.edition), Some(title.published_us), None),
        Title::Unpublished(title) => (None, None, title.shown_us),
    };
    sqlx::query(
        "INSERT INTO title (id, name, description, credits, license, artwork, version, duration_us, published_us,
             created_us, revision, kind, series, season, episode, shown_us, details, pictures)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
         ON CONFLICT (id) DO UPDATE SET
             name = excluded.name, description = excluded.description, credits = excluded.credits,
             license = excluded.license, artwork = excluded.artwork, version = excluded.version,
             duration_us = excluded.duration_us, published_us = excluded.published_us, revision = excluded.revision,
             kind = excluded.kind, series = excluded.series, season = excluded.season, episode = excluded.episode,
             shown_us = excluded.shown_us, details = excluded.details, pictures = excluded.pictures",
    )
    .bind(card.id.as_str())
    .bind(card.words.name())
    .bind(card.words.description())
    .bind(card.words.credits())
    .bind(card.words.license())
    .bind(card.artwork.as_ref().map(Artwork::key))
    .bind(edition.map(|edition| edition.version.as_str()))
    // Bounded to a week when it was taken in, so it fits.
    .bind(edition.map(|edition| edition.duration_us as i64))
    .bind(published_us)
    .bind(card.created_us)
    .bind(card.revision as i64)
    .bind(card.details.kind().as_str())
    .bind(place.map(|place| place.series.as_str()))
    .bind(place.map(|place| i64::from(place.season)))
    .bind(place.map(|place| i64::from(place.episode)))
    .bind(shown_us)
    .bind(card.details.stored())
    .bind(pictures.encode_to_vec())
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) fn person_of(row: &SqliteRow) -> Result<Person, CatalogError> {
    let id: String = row.try_get("id")?;
    Ok(Person {
        name: row.try_get("name")?,
        biography: row.try_get("biography")?,
        born: row.try_get("born")?,
        revision: unsigned(&id, "revision", row.try_get("revision")?)?,
        id: PersonId::parse(&id).map_err(|error| damaged(&id, error.to_string()))?,
    })
}

pub(super) fn version_of(title: &str, version: &str) -> Result<VersionId, CatalogError> {
    VersionId::parse(version).map_err(|error| damaged(title, error.to_string()))
}

pub(super) fn unsigned(title: &str, column: &str, value: i64) -> Result<u64, CatalogError> {
    u64::try_from(value).map_err(|_| damaged(title, format!("{column} is {value}")))
}

pub(super) fn damaged(title: &str, reason: String) -> CatalogError {
    CatalogError::Damaged { title: title.to_owned(), reason }
}
