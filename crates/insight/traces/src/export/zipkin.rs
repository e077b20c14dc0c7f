//! Zipkin's JSON, second version: `POST /api/v2/spans`.
//! Source: Zipkin API v2 (openzipkin/zipkin-api).

use std::collections::BTreeMap;

use matinee_contracts::traces::Span;
use matinee_service::trace::{Export, ExportError};
use serde::Serialize;

use super::{client, failed, taken};

/// A Zipkin server.
#[derive(Debug, Clone)]
pub struct Zipkin {
    url: String,
    client: reqwest::Client,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ZipkinSpan<'a> {
    trace_id: &'a str,
    id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    parent_id: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    /// Microseconds since 1970.
    timestamp: i64,
    /// Microseconds, 1 at the least.
    duration: u64,
    local_endpoint: Endpoint<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_endpoint: Option<Endpoint<'a>>,
    tags: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Endpoint<'a> {
    service_name: &'a str,
}

impl Zipkin {
    /// The server at `endpoint` ("http://zipkin:9411"). Fails where no client can be made.
    pub fn new(endpoint: &str) -> Result<Self, ExportError> {
        Ok(Self { url: format!("{}/api/v2/spans", endpoint.trim_end_matches('/')), client: client()? })
    }
}

#[async_trait::async_trait]
impl Export for Zipkin {
    fn name(&self) -> &'static str {
        "zipkin"
    }

    async fn export(&self, spans: &[Span]) -> Result<(), ExportError> {
        let spans: Vec<_> = spans.iter().map(convert).collect();
        taken(self.client.post(&self.url).json(&spans).send().await.map_err(failed)?).await
    }
}

fn convert(span: &Span) -> ZipkinSpan<'_> {
    let kind = match span.kind.as_str() {
        "server" => Some("SERVER"),
        "client" => Some("CLIENT"),
        "producer" => Some("PRODUCER"),
        "consumer" => Some("CONSUMER"),
        _ => None,
    };
    let mut tags: BTreeMap<_, _> = span.tags.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    if !span.error.is_empty() {
        tags.insert("error", &span.error);
    }
    let peer = span.tags.get("peer").filter(|_| span.kind == "client");
    ZipkinSpan {
        trace_id: &span.trace,
        id: &span.id,
        parent_id: &span.parent,
        name: &span.name,
        kind,
        timestamp: span.start_us,
        duration: span.duration_us.max(1),
        local_endpoint: Endpoint { service_name: &span.service },
        remote_endpoint: peer.map(|peer| Endpoint { service_name: peer }),
        tags,
    }
}
