//! `matinee package`: files into a folder of HLS and DASH, with no service around it.

use std::path::PathBuf;

use clap::Args;
use matinee_media::cenc::ContentKey;
use matinee_model::codec::Protection;
use matinee_package::folder::{FolderJob, package_folder};

use crate::terminal::{AnyError, table};

/// What is packaged, and how.
#[derive(Args)]
pub struct PackageArgs {
    /// MP4 files: every picture and sound track of each, as coded (H.264, H.265, AV1 and AAC).
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The folder to write to; it must be empty.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Seconds of a segment. Pictures are cut at the first key frame from there on.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=60))]
    segment_seconds: u64,
    /// How the segments are protected: clear, cbcs or cenc.
    #[arg(long, default_value = "clear", value_parser = protection)]
    protection: Protection,
    /// The content key: 32 hex digits.
    #[arg(long, value_parser = sixteen, requires = "kid")]
    key: Option<[u8; 16]>,
    /// The content key's id: 32 hex digits.
    #[arg(long, value_parser = sixteen, requires = "key")]
    kid: Option<[u8; 16]>,
    /// The initialisation vector: 32 hex digits, of which cenc takes the first 16; a random one without this.
    #[arg(long, value_parser = sixteen)]
    iv: Option<[u8; 16]>,
}

fn protection(text: &str) -> Result<Protection, String> {
    let found = Protection::ALL.into_iter().find(|p| p.name() == text);
    found.ok_or_else(|| "clear, cbcs and cenc are taken".to_owned())
}

fn sixteen(text: &str) -> Result<[u8; 16], String> {
    let bytes = hex::decode(text).map_err(|error| error.to_string())?;
    <[u8; 16]>::try_from(bytes).map_err(|bytes| format!("it has {} bytes, not 16", bytes.len()))
}

/// Does it, and lists the tracks.
pub fn run(args: PackageArgs) -> Result<(), AnyError> {
    let iv = args.iv.unwrap_or_else(rand::random);
    let key = args.key.zip(args.kid).map(|(key, kid)| ContentKey { kid, key, iv });
    let job = FolderJob {
        inputs: args.files,
        out: args.out,
        seconds: (args.segment_seconds, 1),
        protection: args.protection,
        key,
    };
    let film = package_folder(&job)?;
    let head = ["TRACK", "CODECS", "SEGMENTS", "KBIT/S"].map(str::to_owned).to_vec();
    let row = |name: &str, codecs: &str, file: &matinee_media::presentation::TrackFile| {
        vec![
            name.to_owned(),
            codecs.to_owned(),
            file.segments.len().to_string(),
            (file.average_bandwidth / 1000).to_string(),
        ]
    };
    let video = film.video.iter().map(|v| row(&v.name, &v.codecs, &v.file));
    let audio = film.audio.iter().map(|a| row(&a.name, &a.codecs, &a.file));
    print!("{}", table(&std::iter::once(head).chain(video).chain(audio).collect::<Vec<_>>()));
    println!("{}", job.out.join("master.m3u8").display());
    println!("{}", job.out.join("live.mpd").display());
    Ok(())
}
