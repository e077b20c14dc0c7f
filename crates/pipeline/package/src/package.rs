//! `package`: one clear CMAF track into the encrypted one that is stored.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use matinee_contracts::license::license_client::LicenseClient;
use matinee_contracts::license::{ContentKey as HeldKey, EnsureKeysRequest};
use matinee_engines::objects::{ObjectError, TemporaryFile};
use matinee_media::cenc::{ContentKey, Scheme};
use matinee_media::cmaf::track::{Cutting, Source, TrackError, Written, plan, write};
use matinee_media::mp4::Mp4;
use matinee_media::presentation::{TrackFile, TrackKey};
use matinee_media::track::TrackDescription;
use matinee_model::codec::KeyTier;
use matinee_service::channel::Channel;
use matinee_service::worker::{Done, Handler, TaskError, TaskRun};
use serde::{Deserialize, Serialize};

use crate::{called, refused, retryable};

/// Parameters of `package`.
#[derive(Debug, Deserialize)]
struct Parameters {
    title: String,
    /// A segment's length in seconds, as a fraction.
    segment: (u64, u64),
}

/// What `package` tells `verify`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Packaged {
    /// What the track is.
    pub description: TrackDescription,
    /// RFC 6381.
    pub codecs: String,
    /// Where it is and how it is cut.
    pub file: TrackFile,
}

/// Packages tracks under their title's keys.
#[derive(Clone)]
pub struct PackageHandler {
    license: LicenseClient<Channel>,
}

impl PackageHandler {
    /// `license` makes and gives the titles' keys.
    #[must_use]
    pub fn new(license: LicenseClient<Channel>) -> Self {
        Self { license }
    }

    async fn package(&self, run: &TaskRun) -> Result<Done, TaskError> {
        let Parameters { title, segment } = run.params()?;
        let input = run.task.inputs.first().ok_or_else(|| refused("there is no track to package"))?;
        let description: TrackDescription = crate::result(&run.task, &input.name)?;
        let stored = crate::file(&run.task, &input.name, "track.mp4")?;
        let tier = match &description {
            TrackDescription::Video(video) => KeyTier::of_height(video.height),
            TrackDescription::Audio(_) => KeyTier::Audio,
        };
        let key = self.key(&title, tier).await?;
        let local = run.objects.local_file(&stored.object).await.map_err(|error| match error {
            ObjectError::NotFound(_) => {
                TaskError::DamagedInput { key: input.key.clone(), reason: "it is gone".to_owned() }
            }
            other => retryable(other),
        })?;
        let out = TemporaryFile(run.objects.scratch_path("package.mp4"));
        let (from, to, scheme) = (local.path.clone(), out.0.clone(), Scheme::Cbcs(key.clone()));
        let expected = (stored.blake3.clone(), input.key.clone());
        let (written, codecs) = tokio::task::spawn_blocking(move || encrypted(&from, to, &scheme, segment, expected))
            .await
            .map_err(retryable)??;
        run.progress.set(0.9, "storing");
        let output = run.store_file("track.mp4", &out.0).await?;
        let key = TrackKey { tier, kid: hex::encode(key.kid), iv: hex::encode(key.iv) };
        let file = written.into_file(output.object.clone(), run.task.key.clone(), Some(key));
        let result = serde_json::to_value(Packaged { description, codecs, file }).map_err(retryable)?;
        Ok(Done { result, files: vec![output], spawn: Vec::new() })
    }

    async fn key(&self, title: &str, tier: KeyTier) -> Result<ContentKey, TaskError> {
        let request = EnsureKeysRequest { title: title.to_owned(), labels: vec![tier.label().to_owned()] };
        let keys = self.license.clone().ensure_keys(request).await;
        let keys = keys.map_err(|status| called("asking for the title's keys", &status))?.into_inner().keys;
        let held = keys.into_iter().find(|k| k.label == tier.label());
        held.and_then(|k| content_key(&k)).ok_or_else(|| retryable(format!("no usable {} key came", tier.label())))
    }
}

fn content_key(held: &HeldKey) -> Option<ContentKey> {
    let bytes = |b: &[u8]| <[u8; 16]>::try_from(b).ok();
    Some(ContentKey { kid: bytes(&held.kid)?, key: bytes(&held.key)?, iv: bytes(&held.iv)? })
}

/// Encrypts the track at `from`, whose bytes must have the `expected` hash (else the input of that key is damaged).
fn encrypted(
    from: &Path,
    to: PathBuf,
    scheme: &Scheme,
    seconds: (u64, u64),
    expected: (String, String),
) -> Result<(Written, String), TaskError> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_mmap(from).map_err(retryable)?;
    if hasher.finalize().to_hex().as_str() != expected.0 {
        return Err(TaskError::DamagedInput { key: expected.1, reason: "its hash differs".to_owned() });
    }
    let malformed = |error: TrackError| match error {
        TrackError::Write(error) => retryable(error),
        other => refused(other.to_string()),
    };
    let file = Mp4::open(File::open(from).map_err(retryable)?).map_err(|error| refused(error.to_string()))?;
    let track = file.tracks().first().ok_or_else(|| refused("the track's file is empty"))?;
    let sources = [Source { file: &file, track }];
    let plan = plan(&sources, &Cutting { seconds, frame_ticks: None }).map_err(malformed)?;
    let mut out = BufWriter::new(File::create(to).map_err(retryable)?);
    let written = write(&sources, &plan, Some(scheme), &mut out).map_err(malformed)?;
    let out = out.into_inner().map_err(|error| retryable(error.error()))?;
    out.sync_all().map_err(retryable)?;
    Ok((written, track.entry.codecs.clone()))
}

#[async_trait]
impl Handler for PackageHandler {
    fn task_type(&self) -> &'static str {
        "package"
    }

    fn pool(&self) -> &'static str {
        "light"
    }

    async fn run(&self, tasks: Vec<TaskRun>) -> Vec<Result<Done, TaskError>> {
        let mut done = Vec::with_capacity(tasks.len());
        for task in tasks {
            done.push(self.package(&task).await);
        }
        done
    }
}
