//! `matinee catalog`: a whole catalogue in and out, and artwork.

use std::io::Write;
use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::catalog::{ExportRequest, ImportRequest, PutArtworkRequest};
use matinee_model::ids::TitleId;

use super::{block_on, channel, reach};
use crate::config::Config;
use crate::terminal::AnyError;

/// The largest answer that is taken: a whole catalogue.
const MOST_BYTES: usize = 256 << 20;

/// How a catalogue is written down.
#[derive(Clone, Copy, ValueEnum)]
pub enum Format {
    /// A table.
    Csv,
    /// Everything that is known.
    Json,
    /// As The Movie Database exports it (taken in only).
    Tmdb,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Tmdb => "tmdb",
        }
    }
}

/// What to do with the catalogue.
#[derive(Subcommand)]
pub enum CatalogCommand {
    /// Takes titles in, all of them or, where something is wrong, none.
    Import {
        /// The file.
        file: PathBuf,
        /// How it is written; by its ending without this.
        #[arg(long)]
        format: Option<Format>,
        /// Says what would be done, and does nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Writes every title to the standard output.
    Export {
        /// How.
        #[arg(long, default_value = "json")]
        format: Format,
    },
    /// Gives a title a picture, in every size and format that devices ask for.
    Artwork {
        /// The title.
        title: TitleId,
        /// "poster" (2:3), "backdrop" (16:9), "logo" or "still".
        kind: String,
        /// JPEG, PNG, WebP or AVIF.
        file: PathBuf,
    },
}

/// Does it.
pub fn run(config: &Config, command: CatalogCommand) -> Result<(), AnyError> {
    block_on(async {
        let catalog = CatalogClient::new(channel(config)?);
        let mut catalog = catalog.max_decoding_message_size(MOST_BYTES).max_encoding_message_size(MOST_BYTES);
        match command {
            CatalogCommand::Import { file, format, dry_run } => {
                let format = format.map_or_else(|| by_ending(&file), |format| Ok(format.name()))?;
                let body =
                    std::fs::read(&file).map_err(|error| format!("{} can't be read: {error}", file.display()))?;
                let request = ImportRequest { format: format.to_owned(), body, dry_run };
                let reply = catalog.import(request).await.map_err(|status| reach(status, config))?.into_inner();
                for problem in &reply.problems {
                    eprintln!("{}:{}: {}: {}", file.display(), problem.line, problem.field, problem.reason);
                }
                if !reply.problems.is_empty() {
                    return Err(format!("{} problems; nothing was taken in", reply.problems.len()).into());
                }
                println!("{} added, {} changed, {} as they were", reply.added, reply.changed, reply.unchanged);
            }
            CatalogCommand::Export { format } => {
                let request = ExportRequest { format: format.name().to_owned() };
                let reply = catalog.export(request).await.map_err(|status| reach(status, config))?.into_inner();
                std::io::stdout().write_all(&reply.body)?;
            }
            CatalogCommand::Artwork { title, kind, file } => {
                let image =
                    std::fs::read(&file).map_err(|error| format!("{} can't be read: {error}", file.display()))?;
                let request = PutArtworkRequest { title: title.to_string(), kind, language: String::new(), image };
                catalog.put_artwork(request).await.map_err(|status| reach(status, config))?;
            }
        }
        Ok(())
    })
}

fn by_ending(file: &std::path::Path) -> Result<&'static str, AnyError> {
    match file.extension().and_then(std::ffi::OsStr::to_str) {
        Some("csv") => Ok("csv"),
        Some("json") => Ok("json"),
        _ => Err(format!("{}: say with --format how it is written", file.display()).into()),
    }
}
