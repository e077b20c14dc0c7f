//! Configuration: one TOML file, environment variables over it (`MATINEE_SECTION__KEY`), flags over those.
//!
//! Every key stands in this file with its meaning and its default, and `matinee config check` prints what is in force.
//! Unknown keys are refused by name.

mod viewing;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use matinee_accounts::AccountsConfig;
use matinee_billing::BillingConfig;
use matinee_model::ladder::Ladder;
use matinee_model::profile::{DeviceProfile, default_profiles, parse_profiles};
use matinee_model::territory::Territory;
use serde::{Deserialize, Serialize};

pub use self::viewing::{Access, Faults, Insight, Viewing};

/// Why the configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("{path} can't be read: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file is not TOML.
    #[error("{path} is not understood: {source}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// A key is not known or has a wrong value, wherever it came from.
    #[error("the configuration is refused: {0}")]
    Value(#[from] Box<toml::de::Error>),
    /// The ladder.
    #[error("{path}: {source}")]
    Ladder {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: matinee_model::ladder::LadderError,
    },
    /// The device profiles.
    #[error("{path}: {source}")]
    Profiles {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: matinee_model::profile::ProfileError,
    },
    /// Keys that don't go together.
    #[error("{key}: {reason}")]
    Conflict {
        /// The key.
        key: &'static str,
        /// What to do.
        reason: String,
    },
}

/// All of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where it listens.
    pub server: Server,
    /// Where data is.
    pub data: Data,
    /// Where services are that this process does not run.
    pub services: Services,
    /// Programs it calls.
    pub tools: Tools,
    /// How films are encoded.
    pub encode: Encode,
    /// How much this machine works at once.
    pub worker: Worker,
    /// Uploads.
    pub ingest: Ingest,
    /// Addresses of streams, and the edge.
    pub delivery: Delivery,
    /// The studio.
    pub studio: Studio,
    /// What viewers meet.
    pub viewing: Viewing,
    /// Accounts.
    pub accounts: AccountsConfig,
    /// Plans, payments and invoices.
    pub billing: BillingConfig,
    /// What is learnt.
    pub insight: Insight,
    /// Faults on purpose.
    pub faults: Faults,
}

/// Where it listens.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// HTTP: viewers, the studio, uploads, streams, `/healthz` and `/metrics`.
    pub listen: SocketAddr,
    /// gRPC between processes, and for the command line. Callers must hold the data folder's service secret.
    pub grpc_listen: SocketAddr,
    /// A PEM certificate chain; with `tls_key`, HTTP is HTTPS (HTTP/2 and 1.1 by ALPN).
    pub tls_cert: Option<PathBuf>,
    /// The certificate's PEM private key.
    pub tls_key: Option<PathBuf>,
    /// How long running requests may take to end at a shutdown, in seconds.
    pub drain_seconds: u64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8400)),
            grpc_listen: SocketAddr::from(([127, 0, 0, 1], 8401)),
            tls_cert: None,
            tls_key: None,
            drain_seconds: 10,
        }
    }
}

/// Where data is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Data {
    /// The folder of databases, the event log and secrets.
    pub folder: PathBuf,
    /// The folder of films and segments; empty for `objects` in the data folder.
    pub objects: Option<PathBuf>,
}

impl Default for Data {
    fn default() -> Self {
        Self { folder: PathBuf::from("data"), objects: None }
    }
}

impl Data {
    /// Where objects are.
    #[must_use]
    pub fn objects_folder(&self) -> PathBuf {
        self.objects.clone().unwrap_or_else(|| self.folder.join("objects"))
    }
}

/// Where services are that this process does not run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Services {
    /// gRPC address of the process that runs the others ("http://host:port").
    pub address: String,
    /// Internal address (its server.grpc_listen) of an origin elsewhere, for an edge without one.
    pub origin: String,
}

impl Default for Services {
    fn default() -> Self {
        Self { address: "http://127.0.0.1:8401".to_owned(), origin: "http://127.0.0.1:8401".to_owned() }
    }
}

/// Programs it calls.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tools {
    /// ffmpeg 6 or later, with libx264, libvmaf and zscale.
    pub ffmpeg: PathBuf,
    /// ffprobe.
    pub ffprobe: PathBuf,
}

impl Default for Tools {
    fn default() -> Self {
        let found =
            |variable: &str, name: &str| std::env::var_os(variable).map_or_else(|| PathBuf::from(name), PathBuf::from);
        Self { ffmpeg: found("MATINEE_FFMPEG", "ffmpeg"), ffprobe: found("MATINEE_FFPROBE", "ffprobe") }
    }
}

/// How films are encoded.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Encode {
    /// A ladder of your own (TOML); empty for the default. `matinee ladder show` prints it.
    pub ladder: Option<PathBuf>,
    /// Device profiles of your own (TOML); empty for the default.
    pub profiles: Option<PathBuf>,
    /// Seconds of a chunk, about.
    pub chunk_seconds: f64,
    /// Seconds from one thumbnail to the next.
    pub thumbnail_seconds: f64,
    /// The share of frames whose VMAF is measured, 0 to 1 (0: none is).
    pub vmaf_share: f64,
}

impl Default for Encode {
    fn default() -> Self {
        Self { ladder: None, profiles: None, chunk_seconds: 300.0, thumbnail_seconds: 10.0, vmaf_share: 0.02 }
    }
}

/// How much this machine works at once.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Worker {
    /// Chunks encoded at once.
    pub cpu_slots: usize,
    /// Light tasks (packaging, publishing) at once.
    pub light_slots: usize,
}

impl Default for Worker {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { cpu_slots: cores, light_slots: 2 }
    }
}

/// Uploads.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ingest {
    /// The largest master, in bytes.
    pub max_bytes: u64,
    /// Days after which an unfinished upload is thrown away.
    pub expire_days: u64,
}

impl Default for Ingest {
    fn default() -> Self {
        Self { max_bytes: 1 << 40, expire_days: 7 }
    }
}

/// Addresses of streams, and the edge.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Delivery {
    /// Where viewers reach the edge ("https://edge.example.org"); empty when it is this very server.
    pub edge_url: String,
    /// Seconds for which a stream's address and its licence are valid.
    pub valid_seconds: u64,
    /// Whether members may have streams that are not encrypted, which old HLS devices need. Whoever holds one can keep
    /// the film, at any height. Where everybody may watch, everybody may.
    pub clear_to_members: bool,
    /// Memory of the edge's cache, in bytes.
    pub cache_bytes: u64,
}

impl Default for Delivery {
    fn default() -> Self {
        Self { edge_url: String::new(), valid_seconds: 6 * 3600, clear_to_members: false, cache_bytes: 256 << 20 }
    }
}

/// The studio.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Studio {
    /// The password of the studio and of uploads (user "studio"), beside the roles of accounts. Empty: roles alone; where
    /// everybody may watch, everybody may, on a loopback address only.
    pub key: String,
}

impl Config {
    /// Reads `file` (or nothing), lays `environment` over it, then `flags` (dotted keys), and checks the whole.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &[(&str, String)],
    ) -> Result<Self, ConfigError> {
        let mut table = toml::Table::new();
        if let Some(path) = file {
            let text = read(path)?;
            table = text
                .parse()
                .map_err(|source| ConfigError::Syntax { path: path.to_owned(), source: Box::new(source) })?;
        }
        for (name, value) in environment {
            let Some(rest) = name.strip_prefix("MATINEE_") else { continue };
            if rest.contains("__") {
                let path = rest.to_lowercase();
                lay(&mut table, &path.split("__").collect::<Vec<_>>(), &value);
            }
        }
        for (dotted, value) in flags {
            lay(&mut table, &dotted.split('.').collect::<Vec<_>>(), value);
        }
        let config: Self = toml::Value::Table(table).try_into().map_err(|e| ConfigError::Value(Box::new(e)))?;
        config.check()?;
        Ok(config)
    }

    /// The ladder in force.
    pub fn ladder(&self) -> Result<Ladder, ConfigError> {
        let Some(path) = &self.encode.ladder else { return Ok(Ladder::default()) };
        Ladder::parse(&read(path)?).map_err(|source| ConfigError::Ladder { path: path.clone(), source })
    }

    /// The device profiles in force.
    pub fn profiles(&self) -> Result<Vec<DeviceProfile>, ConfigError> {
        let Some(path) = &self.encode.profiles else { return Ok(default_profiles()) };
        parse_profiles(&read(path)?).map_err(|source| ConfigError::Profiles { path: path.clone(), source })
    }

    fn check(&self) -> Result<(), ConfigError> {
        let refuse = |key, reason: String| Err(ConfigError::Conflict { key, reason });
        let open = self.studio.key.is_empty() && self.viewing.access == Access::Open;
        if open && !self.server.listen.ip().is_loopback() {
            return refuse(
                "studio.key",
                format!("{} can be reached from outside, so the studio needs a password here", self.server.listen),
            );
        }
        if self.server.tls_cert.is_some() != self.server.tls_key.is_some() {
            return refuse("server.tls_key", "a certificate and its key go together".to_owned());
        }
        if !(2.0..=3600.0).contains(&self.encode.chunk_seconds) {
            return refuse("encode.chunk_seconds", format!("{} is outside 2 to 3600", self.encode.chunk_seconds));
        }
        if !(0.5..=600.0).contains(&self.encode.thumbnail_seconds) {
            return refuse(
                "encode.thumbnail_seconds",
                format!("{} is outside 0.5 to 600", self.encode.thumbnail_seconds),
            );
        }
        if !(0.0..=1.0).contains(&self.encode.vmaf_share) {
            return refuse("encode.vmaf_share", format!("{} is outside 0 to 1", self.encode.vmaf_share));
        }
        if self.worker.cpu_slots == 0 || self.worker.light_slots == 0 {
            return refuse("worker", "each pool needs a slot".to_owned());
        }
        if !(60..=7 * 86_400).contains(&self.delivery.valid_seconds) {
            return refuse(
                "delivery.valid_seconds",
                format!("{} is outside 60 to 604800", self.delivery.valid_seconds),
            );
        }
        if !(0.0..=1.0).contains(&self.insight.trace_rate) {
            return refuse("insight.trace_rate", format!("{} is outside 0 to 1", self.insight.trace_rate));
        }
        if let Err(error) = Territory::parse(&self.viewing.territory) {
            return refuse("viewing.territory", error.to_string());
        }
        if let Err(error) = matinee_service::resilience::fault::Faults::parse(&self.faults.inject) {
            return refuse("faults.inject", error.to_string());
        }
        self.ladder()?;
        self.profiles()?;
        Ok(())
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })
}

/// Lays one value over the table: as TOML where it is a number, a truth value or a list, as text otherwise.
fn lay(table: &mut toml::Table, path: &[&str], value: &str) {
    let (Some((key, sections)), mut table) = (path.split_last(), table) else { return };
    for section in sections {
        let below = table.entry((*section).to_owned()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        let toml::Value::Table(below) = below else { return };
        table = below;
    }
    let parsed = format!("v = {value}").parse::<toml::Table>().ok().and_then(|mut t| t.remove("v"));
    let value = match parsed {
        Some(
            v @ (toml::Value::Integer(_) | toml::Value::Float(_) | toml::Value::Boolean(_) | toml::Value::Array(_)),
        ) => v,
        _ => toml::Value::String(value.to_owned()),
    };
    table.insert((*key).to_owned(), value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(file: &str, environment: &[(&str, &str)], flags: &[(&str, String)]) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("matinee.toml");
        std::fs::write(&path, file).unwrap();
        let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Config::load(Some(&path), environment, flags)
    }

    #[test]
    fn the_environment_goes_over_the_file_and_flags_over_both() {
        let file = "[worker]\ncpu_slots = 3\nlight_slots = 3\n[server]\nlisten = \"127.0.0.1:1\"\n";
        let environment = [("MATINEE_WORKER__CPU_SLOTS", "4"), ("MATINEE_SERVER__LISTEN", "127.0.0.1:2")];
        let config = load(file, &environment, &[("server.listen", "127.0.0.1:3".to_owned())]).unwrap();
        assert_eq!((config.worker.light_slots, config.worker.cpu_slots, config.server.listen.port()), (3, 4, 3));
    }

    #[test]
    fn the_environment_reaches_keys_at_any_depth() {
        let environment = [
            ("MATINEE_ACCOUNTS__MAIL__SMTP", "smtp://127.0.0.1:25"),
            ("MATINEE_VIEWING__ACCESS", "open"),
            ("MATINEE_VIEWING__PROXIES", "[\"10.0.0.0/8\"]"),
        ];
        let config = load("", &environment, &[]).unwrap();
        assert_eq!(config.accounts.mail.smtp, "smtp://127.0.0.1:25");
        assert_eq!((config.viewing.access, config.viewing.proxies), (Access::Open, vec!["10.0.0.0/8".to_owned()]));
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let message = load("[worker]\ncpu_slot = 3\n", &[], &[]).unwrap_err().to_string();
        assert!(message.contains("cpu_slot"), "{message}");
    }

    #[test]
    fn an_open_installation_at_a_public_address_needs_a_studio_password() {
        let open = "[server]\nlisten = \"0.0.0.0:80\"\n[viewing]\naccess = \"open\"\n";
        let message = load(open, &[], &[]).unwrap_err().to_string();
        assert!(message.contains("studio.key"), "{message}");
        assert!(load(&format!("{open}[studio]\nkey = \"s\"\n"), &[], &[]).is_ok());
        // Where there are members, their roles say who may.
        assert!(load("[server]\nlisten = \"0.0.0.0:80\"\n", &[], &[]).is_ok());
    }
}
