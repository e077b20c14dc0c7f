//! Spans at receivers that read what came as OpenTelemetry's collectors and Zipkin do.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use matinee_contracts::traces::Span;
use matinee_service::trace::Export;
use matinee_traces::export::{Otlp, Zipkin};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode as SpanStatus;
use prost::Message;

type Came = Arc<Mutex<Vec<(String, Bytes)>>>;

/// A receiver on loopback that answers `status`.
async fn receiver(path: &str, status: StatusCode) -> (String, Came) {
    let came = Came::default();
    let take = move |State(came): State<Came>, headers: HeaderMap, body: Bytes| async move {
        let kind = headers[header::CONTENT_TYPE].to_str().unwrap().to_owned();
        came.lock().unwrap().push((kind, body));
        (status, "no room")
    };
    let routes = Router::new().route(path, post(take)).with_state(came.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    (address, came)
}

fn spans() -> [Span; 2] {
    let door = Span {
        trace: "463ac35c9f6413ad48485a3953bb6124".to_owned(),
        id: "a2fb4a1d1a96d312".to_owned(),
        name: "POST /api/play".to_owned(),
        service: "gateway".to_owned(),
        kind: "server".to_owned(),
        start_us: 1_700_000_000_000_001,
        duration_us: 2_500,
        tags: [("status".to_owned(), "500".to_owned())].into(),
        ..Span::default()
    };
    let call = Span {
        id: "b2fb4a1d1a96d312".to_owned(),
        parent: door.id.clone(),
        name: "matinee.playback.v1.Playback/Start".to_owned(),
        kind: "client".to_owned(),
        error: "the disk is gone".to_owned(),
        duration_us: 0,
        tags: [("peer".to_owned(), "playback".to_owned())].into(),
        ..door.clone()
    };
    [door, call]
}

#[tokio::test]
async fn a_collector_reads_what_was_sent_by_otlp() {
    let (address, came) = receiver("/v1/traces", StatusCode::OK).await;
    Otlp::new(&address).unwrap().export(&spans()).await.unwrap();
    let (kind, body) = came.lock().unwrap().pop().unwrap();
    assert_eq!(kind, "application/x-protobuf");
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    assert_eq!(request.resource_spans.len(), 1);
    let resource = request.resource_spans[0].resource.as_ref().unwrap();
    let name = resource.attributes.iter().find(|attribute| attribute.key == "service.name").unwrap();
    assert_eq!(name.value.as_ref().unwrap().value, Some(Value::StringValue("gateway".to_owned())));
    let [door, call] = &request.resource_spans[0].scope_spans[0].spans[..] else { panic!("two were sent") };
    assert_eq!(hex(&door.trace_id), "463ac35c9f6413ad48485a3953bb6124");
    assert_eq!((hex(&door.span_id).as_str(), door.parent_span_id.len()), ("a2fb4a1d1a96d312", 0));
    assert_eq!((door.kind(), call.kind()), (SpanKind::Server, SpanKind::Client));
    assert_eq!(door.end_time_unix_nano - door.start_time_unix_nano, 2_500_000);
    assert_eq!(door.start_time_unix_nano, 1_700_000_000_000_001_000);
    assert_eq!(call.parent_span_id, door.span_id);
    let status = call.status.as_ref().unwrap();
    assert_eq!((status.code(), status.message.as_str()), (SpanStatus::Error, "the disk is gone"));
    assert_eq!(door.status.as_ref().unwrap().code(), SpanStatus::Unset);
    assert_eq!(door.attributes[0].key, "status");
}

#[tokio::test]
async fn zipkin_reads_what_was_sent() {
    let (address, came) = receiver("/api/v2/spans", StatusCode::ACCEPTED).await;
    Zipkin::new(&address).unwrap().export(&spans()).await.unwrap();
    let (kind, body) = came.lock().unwrap().pop().unwrap();
    assert_eq!(kind, "application/json");
    let read: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let expected = serde_json::json!([
        {
            "traceId": "463ac35c9f6413ad48485a3953bb6124", "id": "a2fb4a1d1a96d312", "name": "POST /api/play",
            "kind": "SERVER", "timestamp": 1_700_000_000_000_001_i64, "duration": 2_500,
            "localEndpoint": {"serviceName": "gateway"}, "tags": {"status": "500"}
        },
        {
            "traceId": "463ac35c9f6413ad48485a3953bb6124", "id": "b2fb4a1d1a96d312", "parentId": "a2fb4a1d1a96d312",
            "name": "matinee.playback.v1.Playback/Start", "kind": "CLIENT", "timestamp": 1_700_000_000_000_001_i64,
            "duration": 1, "localEndpoint": {"serviceName": "gateway"},
            "remoteEndpoint": {"serviceName": "playback"},
            "tags": {"error": "the disk is gone", "peer": "playback"}
        }
    ]);
    assert_eq!(read, expected);
}

#[tokio::test]
async fn a_keeper_that_refuses_or_is_gone_says_why() {
    let (address, _) = receiver("/api/v2/spans", StatusCode::INSUFFICIENT_STORAGE).await;
    let refused = Zipkin::new(&address).unwrap().export(&spans()).await.unwrap_err();
    assert_eq!(refused.to_string(), "it answered 507 Insufficient Storage: no room");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = Otlp::new(&gone).unwrap().export(&spans()).await.unwrap_err();
    assert!(error.to_string().contains("refused"), "{error}");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
