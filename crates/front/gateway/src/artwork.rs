//! Artwork, in the format that a client prefers and the size that it asks for.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use matinee_contracts::catalog::{Artwork, ArtworkFile, GetTitleRequest};
use matinee_service::http::{Problem, Queried};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Gateway;
use crate::door::Inside;
use crate::titles;

/// Formats, the smallest files first.
const FORMATS: [&str; 4] = ["avif", "webp", "jpeg", "png"];
/// An address that names which picture it is may be kept: another picture has another address.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// One that does not names whatever is there.
const A_WHILE: &str = "public, max-age=3600";

/// Pictures: many a page, and the same for everybody.
pub(crate) fn routes() -> OpenApiRouter<Inside> {
    OpenApiRouter::new().routes(routes!(show)).routes(routes!(titles::artwork))
}

/// Which one.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// The narrowest that is at least so many pixels wide, or the widest that there is; 0: the widest.
    #[serde(default)]
    w: u32,
    /// The beginning of the original's hash, so that the address changes with the picture.
    #[serde(default)]
    v: String,
    /// Of a text in it (BCP 47).
    #[serde(default)]
    language: String,
}

/// A title's artwork. `kind`: "poster", "backdrop", "logo" or "still".
#[utoipa::path(get, path = "/api/artwork/{title}/{kind}", tag = "viewing", params(Asked),
    responses((status = 200, body = Vec<u8>, content_type = "image/*")))]
pub async fn show(
    State(mut gateway): State<Gateway>,
    Path((title, kind)): Path<(String, String)>,
    Queried(asked): Queried<Asked>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = gateway.catalog.get_title(GetTitleRequest { id: title.clone() }).await?.into_inner();
    let none = || Problem::not_found(format!("title {title} has no {kind} in a format that the client takes"));
    let artwork = chosen(&found.artworks, &kind, &asked).ok_or_else(none)?;
    let file = fitting(artwork, &accepted(&headers), asked.w).ok_or_else(none)?;
    let tag = format!("\"{}-{}-{}\"", artwork.blake3.get(..16).unwrap_or(&artwork.blake3), file.width, file.format);
    let current = !asked.v.is_empty() && artwork.blake3.starts_with(&asked.v);
    let mut answer = HeaderMap::new();
    answer.insert(header::VARY, HeaderValue::from_static("accept"));
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static(if current { FOREVER } else { A_WHILE }));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        answer.insert(header::ETAG, tag);
    }
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag)) {
        return Ok((http::StatusCode::NOT_MODIFIED, answer).into_response());
    }
    let bytes = gateway.objects.get(&file.object).await.map_err(|error| {
        tracing::warn!(title, object = file.object, %error, "artwork can't be read");
        Problem::not_found(format!("the {kind} of title {title} can't be read"))
    })?;
    let media_type = match file.format.as_str() {
        "avif" => "image/avif",
        "webp" => "image/webp",
        "png" => "image/png",
        _ => "image/jpeg",
    };
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    Ok((answer, bytes).into_response())
}

/// The picture whose hash the address names, else the one in the language, else one without a text, else any.
fn chosen<'a>(artworks: &'a [Artwork], kind: &str, asked: &Asked) -> Option<&'a Artwork> {
    let of_kind = || artworks.iter().filter(|artwork| artwork.kind == kind);
    let named = of_kind().find(|artwork| !asked.v.is_empty() && artwork.blake3.starts_with(&asked.v));
    let spoken = || of_kind().find(|a| !asked.language.is_empty() && a.language.eq_ignore_ascii_case(&asked.language));
    named.or_else(spoken).or_else(|| of_kind().find(|a| a.language.is_empty())).or_else(|| of_kind().next())
}

/// Of the formats that the client takes, in our order, the narrowest file that is wide enough.
fn fitting<'a>(artwork: &'a Artwork, formats: &[&str], width: u32) -> Option<&'a ArtworkFile> {
    formats.iter().find_map(|format| {
        let of_format = || artwork.files.iter().filter(|file| file.format == *format);
        let wide_enough = of_format().filter(|file| width > 0 && file.width >= width).min_by_key(|file| file.width);
        wide_enough.or_else(|| of_format().max_by_key(|file| file.width))
    })
}

/// The formats that `Accept` takes, in our order. JPEG and PNG are known to whoever shows pictures.
fn accepted(headers: &HeaderMap) -> Vec<&'static str> {
    let text = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("*/*");
    let takes = |format: &str| {
        text.split(',').any(|one| {
            let mut parts = one.split(';');
            let named = parts.next().unwrap_or_default().trim();
            let refused = parts.any(|part| matches!(part.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
            named.strip_prefix("image/").is_some_and(|n| n.eq_ignore_ascii_case(format)) && !refused
        })
    };
    FORMATS.into_iter().filter(|format| matches!(*format, "jpeg" | "png") || takes(format)).collect()
}

/// The media type of a picture, by how it begins.
#[must_use]
pub fn media_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [b'R', b'I', b'F', b'F', ..] => Some("image/webp"),
        [0xff, 0xd8, ..] => Some("image/jpeg"),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some("image/avif"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::*;

    fn accepting(text: &str) -> Vec<&'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_str(text).unwrap());
        accepted(&headers)
    }

    #[test]
    fn a_client_gets_the_smallest_format_that_it_takes() {
        assert_eq!(accepting("image/avif,image/webp,*/*;q=0.8"), ["avif", "webp", "jpeg", "png"]);
        assert_eq!(accepting("image/webp;q=0.9, image/avif;q=0"), ["webp", "jpeg", "png"]);
        assert_eq!(accepting("*/*"), ["jpeg", "png"]);
    }

    #[test]
    fn the_narrowest_that_is_wide_enough_is_sent() {
        let file = |format: &str, width| ArtworkFile {
            object: format!("{format}/{width}"),
            format: format.to_owned(),
            width,
            ..ArtworkFile::default()
        };
        let files = vec![file("jpeg", 342), file("jpeg", 780), file("avif", 342), file("avif", 1280)];
        let artwork = Artwork { files, ..Artwork::default() };
        let sent = |formats: &[&str], width| fitting(&artwork, formats, width).unwrap().object.clone();
        assert_eq!(sent(&["avif", "jpeg"], 500), "avif/1280");
        assert_eq!(sent(&["avif", "jpeg"], 9000), "avif/1280");
        assert_eq!(sent(&["webp", "jpeg"], 100), "jpeg/342");
        assert_eq!(sent(&["jpeg"], 0), "jpeg/780");
        assert!(fitting(&artwork, &["png"], 1).is_none());
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_a_picture_can_be_sent(text in "[ -~]{0,80}") {
            prop_assert!(accepting(&text).contains(&"jpeg"));
        }
    }
}
