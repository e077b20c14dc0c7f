//! A published version in memory: its presentation, the heads of its tracks, and its keys.

use std::collections::HashMap;
use std::sync::Arc;

use matinee_contracts::license::GetKeysRequest;
use matinee_contracts::license::license_client::LicenseClient;
use matinee_engines::objects::{ObjectError, ObjectStorage};
use matinee_media::cenc::{ContentKey, pssh};
use matinee_media::offer::DrmSignal;
use matinee_media::presentation::{Presentation, SubtitleTrack, TrackFile};
use matinee_media::reprotect::Head;
use matinee_model::codec::Protection;
use matinee_service::channel::Channel;

use crate::error::OriginError;
use crate::verified::{Piece, VerifiedPieces};

/// A version that can be served.
#[derive(Debug)]
pub struct Film {
    /// As it was published.
    pub presentation: Presentation,
    heads: HashMap<String, Head>,
    keys: HashMap<[u8; 16], ContentKey>,
}

/// A track with its head.
#[derive(Debug, Clone, Copy)]
pub struct StoredTrack<'a> {
    /// How it is stored.
    pub file: &'a TrackFile,
    /// Its head, understood.
    pub head: &'a Head,
}

/// A part of a stored track.
pub fn piece(file: &TrackFile, number: usize) -> Option<Piece> {
    let segment = file.segments.get(number)?;
    Some(Piece {
        object: file.object.clone(),
        offset: segment.offset,
        size: u64::from(segment.size),
        blake3: segment.blake3.clone(),
        output_key: file.output_key.clone(),
    })
}

impl Film {
    /// Reads a version. Fails with [`OriginError::NotFound`] where it is not published.
    pub async fn load(
        version: &str,
        objects: &ObjectStorage,
        pieces: &VerifiedPieces,
        license: &LicenseClient<Channel>,
    ) -> Result<Self, OriginError> {
        let object = format!("versions/{version}/presentation.json");
        let text = objects.get(&object).await.map_err(|error| match error {
            ObjectError::NotFound(_) => OriginError::NotFound(format!("version {version} is not published")),
            other => OriginError::Unavailable(other.to_string()),
        })?;
        let presentation: Presentation = serde_json::from_slice(&text)
            .map_err(|error| OriginError::Unavailable(format!("{object} is not understood: {error}")))?;
        let mut heads = HashMap::new();
        for (name, file) in tracks(&presentation) {
            let head = Piece {
                object: file.object.clone(),
                offset: 0,
                size: file.init.size + file.sidx.size,
                blake3: file.head_blake3.clone(),
                output_key: file.output_key.clone(),
            };
            let bytes = pieces.get(&head).await?;
            let init = bytes.slice(..usize::try_from(file.init.size).unwrap_or(0).min(bytes.len()));
            heads.insert(name.to_owned(), Head::parse(&init, file)?);
        }
        let mut kids: Vec<[u8; 16]> = heads.values().filter_map(Head::kid).collect();
        kids.sort_unstable();
        kids.dedup();
        let keys = if kids.is_empty() { HashMap::new() } else { keys(license, &kids).await? };
        Ok(Self { presentation, heads, keys })
    }

    /// A video or audio track.
    pub fn track(&self, name: &str) -> Result<StoredTrack<'_>, OriginError> {
        let found = tracks(&self.presentation).find(|(known, _)| *known == name).map(|(_, file)| file);
        let head = self.heads.get(name);
        let (file, head) = found.zip(head).ok_or_else(|| self.no(&format!("track {name}")))?;
        Ok(StoredTrack { file, head })
    }

    /// A subtitle track.
    #[must_use]
    pub fn subtitles(&self, name: &str) -> Option<&SubtitleTrack> {
        self.presentation.subtitles.iter().find(|s| s.name == name)
    }

    /// The key of a track; none where it is stored clear.
    #[must_use]
    pub fn key(&self, head: &Head) -> Option<&ContentKey> {
        self.keys.get(&head.kid()?)
    }

    /// What manifests say of the keys in this protection.
    #[must_use]
    pub fn drm(&self, protection: Protection) -> Vec<DrmSignal> {
        let scheme = match protection {
            Protection::Cbcs => b"cbcs",
            Protection::Cenc => b"cenc",
            Protection::Clear => return Vec::new(),
        };
        let mut kids: Vec<[u8; 16]> = self.keys.keys().copied().collect();
        kids.sort_unstable();
        let signal = |kid: [u8; 16]| DrmSignal {
            kid,
            widevine: pssh::widevine(&[kid], scheme),
            playready: pssh::playready(&[kid], scheme, None),
        };
        kids.into_iter().map(signal).collect()
    }

    /// The error that this version has no such thing.
    #[must_use]
    pub fn no(&self, what: &str) -> OriginError {
        OriginError::NotFound(format!("version {} has no {what}", self.presentation.version))
    }
}

fn tracks(presentation: &Presentation) -> impl Iterator<Item = (&str, &TrackFile)> {
    let video = presentation.video.iter().map(|v| (v.name.as_str(), &v.file));
    video.chain(presentation.audio.iter().map(|a| (a.name.as_str(), &a.file)))
}

async fn keys(
    license: &LicenseClient<Channel>,
    kids: &[[u8; 16]],
) -> Result<HashMap<[u8; 16], ContentKey>, OriginError> {
    let request = GetKeysRequest { kids: kids.iter().map(|kid| kid.to_vec()).collect() };
    let reply = license.clone().get_keys(request).await;
    let held =
        reply.map_err(|status| OriginError::Unavailable(format!("the keys can't be had: {}", status.message())))?;
    let bytes = |b: &[u8]| <[u8; 16]>::try_from(b).ok();
    let mut all = HashMap::new();
    for key in held.into_inner().keys {
        let (kid, key, iv) = bytes(&key.kid)
            .zip(bytes(&key.key))
            .zip(bytes(&key.iv))
            .map(|((kid, key), iv)| (kid, key, iv))
            .ok_or_else(|| OriginError::Unavailable("a key that is not 16 bytes long came".to_owned()))?;
        all.insert(kid, ContentKey { kid, key, iv });
    }
    Ok(all)
}

/// Films in memory, the ones that are asked for.
#[derive(Clone)]
pub struct Films {
    objects: ObjectStorage,
    pieces: VerifiedPieces,
    license: LicenseClient<Channel>,
    cache: moka::future::Cache<String, Arc<Film>>,
}

impl Films {
    /// Keeps up to `most` films.
    #[must_use]
    pub fn new(objects: ObjectStorage, pieces: VerifiedPieces, license: LicenseClient<Channel>, most: u64) -> Self {
        Self { objects, pieces, license, cache: moka::future::Cache::new(most) }
    }

    /// A published version.
    pub async fn get(&self, version: &str) -> Result<Arc<Film>, OriginError> {
        let load = async { Film::load(version, &self.objects, &self.pieces, &self.license).await.map(Arc::new) };
        self.cache.try_get_with_by_ref(version, load).await.map_err(|error: Arc<OriginError>| (*error).clone())
    }
}
