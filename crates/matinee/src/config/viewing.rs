//! Configuration of what viewers meet, and of what is learnt from them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Who may play here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Who signed in and has a subscription.
    #[default]
    Members,
    /// Anyone; each browser is a viewer of its own.
    Open,
}

/// What viewers meet.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Viewing {
    /// Who may play here: "members" or "open".
    pub access: Access,
    /// Where requests come from that nothing else tells of (ISO 3166-1 alpha-2).
    pub territory: String,
    /// Where networks are: `"192.0.2.0/24" = "DE AS64496"`, a territory and, if you like, the network's name.
    pub networks: BTreeMap<String, String>,
    /// Networks of proxies that are believed what they say of who asks (`X-Forwarded-For`, `territory_header`).
    pub proxies: Vec<String>,
    /// The header in which they name the territory; empty: none.
    pub territory_header: String,
    /// Other sites whose pages may call ("https://app.example.org").
    pub origins: Vec<String>,
    /// The address by which browsers know this installation ("https://films.example.org"); empty: as each asks.
    pub public_url: String,
    /// Whether requests are counted by address, account and sign-in attempts. Measurements switch it off.
    pub rate_limits: bool,
}

impl Default for Viewing {
    fn default() -> Self {
        Self {
            access: Access::default(),
            territory: "US".to_owned(),
            networks: BTreeMap::new(),
            proxies: Vec::new(),
            territory_header: String::new(),
            origins: Vec::new(),
            public_url: String::new(),
            rate_limits: true,
        }
    }
}

/// What is learnt.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Insight {
    /// The share of requests whose trace is kept, 0 to 1; slow and failed ones are kept beside them.
    pub trace_rate: f64,
    /// From how many milliseconds on a request is slow.
    pub trace_slow_ms: u64,
    /// An OpenTelemetry collector that gets every kept span ("http://collector:4318"); empty: none.
    pub otlp: String,
    /// A Zipkin server that gets every kept span ("http://zipkin:9411"); empty: none.
    pub zipkin: String,
    /// Seconds after which events are in the lake at the latest.
    pub lake_seal_seconds: u64,
    /// Hours from one training of recommendations to the next.
    pub train_hours: u64,
}

impl Default for Insight {
    fn default() -> Self {
        Self {
            trace_rate: 0.01,
            trace_slow_ms: 500,
            otlp: String::new(),
            zipkin: String::new(),
            lake_seal_seconds: 300,
            train_hours: 24,
        }
    }
}

/// Faults on purpose, to see what viewers then see.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// Services that are made slow or dead: "ratings=dead,history=slow:2000,search=error:unavailable@0.5".
    pub inject: String,
    /// Accounts (ids) whose requests may say so for themselves (header `x-matinee-fault`).
    pub accounts: Vec<String>,
}
