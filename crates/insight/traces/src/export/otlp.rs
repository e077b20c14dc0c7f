//! OpenTelemetry's protocol over HTTP, as protobuf: `POST /v1/traces`.
//! Source: OTLP specification 1.x, "OTLP/HTTP".

use matinee_contracts::traces::Span;
use matinee_service::trace::{Export, ExportError};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span as OtlpSpan, Status};
use prost::Message;

use super::{client, failed, taken};

/// An OTLP receiver.
#[derive(Debug, Clone)]
pub struct Otlp {
    url: String,
    client: reqwest::Client,
}

impl Otlp {
    /// The receiver at `endpoint` ("http://collector:4318"). Fails where no client can be made.
    pub fn new(endpoint: &str) -> Result<Self, ExportError> {
        Ok(Self { url: format!("{}/v1/traces", endpoint.trim_end_matches('/')), client: client()? })
    }
}

#[async_trait::async_trait]
impl Export for Otlp {
    fn name(&self) -> &'static str {
        "otlp"
    }

    async fn export(&self, spans: &[Span]) -> Result<(), ExportError> {
        let body = request(spans).encode_to_vec();
        let kind = (reqwest::header::CONTENT_TYPE, "application/x-protobuf");
        let sent = self.client.post(&self.url).header(kind.0, kind.1).body(body).send().await;
        taken(sent.map_err(failed)?).await
    }
}

/// Spans by the service that made them, as OTLP groups them.
fn request(spans: &[Span]) -> ExportTraceServiceRequest {
    let mut services: Vec<(&str, Vec<OtlpSpan>)> = Vec::new();
    for span in spans {
        let made = convert(span);
        match services.iter_mut().find(|(service, _)| *service == span.service) {
            Some((_, spans)) => spans.push(made),
            None => services.push((&span.service, vec![made])),
        }
    }
    let of = |(service, spans): (&str, Vec<OtlpSpan>)| {
        let scope = InstrumentationScope { name: "matinee".to_owned(), ..InstrumentationScope::default() };
        let attributes = vec![text("service.name", service), text("service.namespace", "matinee")];
        ResourceSpans {
            resource: Some(Resource { attributes, ..Resource::default() }),
            scope_spans: vec![ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }
    };
    ExportTraceServiceRequest { resource_spans: services.into_iter().map(of).collect() }
}

fn convert(span: &Span) -> OtlpSpan {
    let kind = match span.kind.as_str() {
        "server" => SpanKind::Server,
        "client" => SpanKind::Client,
        "producer" => SpanKind::Producer,
        "consumer" => SpanKind::Consumer,
        _ => SpanKind::Internal,
    };
    let start = u64::try_from(span.start_us).unwrap_or(0).saturating_mul(1000);
    let failed = !span.error.is_empty();
    let code = if failed { StatusCode::Error } else { StatusCode::Unset };
    let mut attributes: Vec<_> = span.tags.iter().map(|(name, value)| text(name, value)).collect();
    attributes.sort_by(|a, b| a.key.cmp(&b.key));
    OtlpSpan {
        trace_id: bytes(&span.trace),
        span_id: bytes(&span.id),
        parent_span_id: bytes(&span.parent),
        name: span.name.clone(),
        kind: kind.into(),
        start_time_unix_nano: start,
        end_time_unix_nano: start.saturating_add(span.duration_us.saturating_mul(1000)),
        attributes,
        status: Some(Status { message: span.error.clone(), code: code.into() }),
        ..OtlpSpan::default()
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    let value = AnyValue { value: Some(any_value::Value::StringValue(value.to_owned())) };
    KeyValue { key: key.to_owned(), value: Some(value), ..KeyValue::default() }
}

/// The bytes of hex digits; none where they are not.
fn bytes(hex: &str) -> Vec<u8> {
    let digit = |at: usize| hex.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    (0..hex.len()).step_by(2).map(digit).collect::<Option<_>>().unwrap_or_default()
}
