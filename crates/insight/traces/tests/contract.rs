//! Traces, through their contract.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use matinee_contracts::traces::traces_client::TracesClient;
use matinee_contracts::traces::{CollectRequest, GetRequest, ListRequest, Span};
use matinee_service::channel::Channel;
use matinee_traces::{Bounds, TracesService};
use tonic::Code;

const FIRST: &str = "463ac35c9f6413ad48485a3953bb6124";
const SECOND: &str = "563ac35c9f6413ad48485a3953bb6124";

fn client(bounds: Bounds) -> TracesClient<Channel> {
    TracesClient::new(Channel::local(TracesService::new(bounds).server()))
}

fn span(trace: &str, id: u64, parent: u64, name: &str, service: &str) -> Span {
    Span {
        trace: trace.to_owned(),
        id: format!("{id:016x}"),
        parent: if parent == 0 { String::new() } else { format!("{parent:016x}") },
        name: name.to_owned(),
        service: service.to_owned(),
        kind: "server".to_owned(),
        start_us: 1_000 * i64::try_from(id).unwrap(),
        duration_us: 9_000 / id,
        ..Span::default()
    }
}

async fn collect(client: &TracesClient<Channel>, spans: Vec<Span>) -> Result<(), tonic::Status> {
    client.clone().collect(CollectRequest { spans }).await.map(|_| ())
}

async fn names(client: &TracesClient<Channel>, request: ListRequest) -> Vec<String> {
    let reply = client.clone().list(request).await.unwrap().into_inner();
    reply.traces.into_iter().map(|trace| trace.name).collect()
}

async fn two_traces(client: &TracesClient<Channel>) {
    let mut failed = span(FIRST, 3, 2, "store.session", "playback");
    failed.error = "the disk is gone".to_owned();
    let play =
        [span(FIRST, 1, 0, "POST /api/play", "gateway"), span(FIRST, 2, 1, "Playback/Start", "playback"), failed];
    // In pieces, the last one first, and one twice.
    for piece in [2, 1, 0, 1] {
        collect(client, vec![play[piece].clone()]).await.unwrap();
    }
    collect(client, vec![span(SECOND, 9, 0, "GET /api/titles", "gateway")]).await.unwrap();
}

#[tokio::test]
async fn a_trace_that_came_in_pieces_is_shown_whole_and_in_order() {
    let client = client(Bounds::default());
    two_traces(&client).await;
    let trace = client.clone().get(GetRequest { trace: FIRST.to_owned() }).await.unwrap().into_inner();
    let names: Vec<_> = trace.spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["POST /api/play", "Playback/Start", "store.session"]);
    assert_eq!(trace.spans[2].error, "the disk is gone");
    let list = client.clone().list(ListRequest::default()).await.unwrap().into_inner().traces;
    let play = &list[1];
    assert_eq!((play.name.as_str(), play.service.as_str()), ("POST /api/play", "gateway"));
    assert_eq!((play.spans, play.errors, play.start_us, play.duration_us), (3, 1, 1_000, 9_000));
}

#[tokio::test]
async fn traces_are_found_by_what_is_in_them() {
    let client = client(Bounds::default());
    two_traces(&client).await;
    let (all, play, titles) = (["GET /api/titles", "POST /api/play"], ["POST /api/play"], ["GET /api/titles"]);
    assert_eq!(names(&client, ListRequest::default()).await, all);
    assert_eq!(names(&client, ListRequest { limit: 1, ..ListRequest::default() }).await, titles);
    let request = ListRequest { service: "playback".to_owned(), ..ListRequest::default() };
    assert_eq!(names(&client, request).await, play);
    let request = ListRequest { name: "STORE.".to_owned(), ..ListRequest::default() };
    assert_eq!(names(&client, request).await, play);
    let request = ListRequest { min_duration_us: 5_000, ..ListRequest::default() };
    assert_eq!(names(&client, request).await, play);
    let request = ListRequest { errors_only: true, ..ListRequest::default() };
    assert_eq!(names(&client, request).await, play);
    let request = ListRequest { service: "nobody".to_owned(), ..ListRequest::default() };
    assert_eq!(names(&client, request).await, [""; 0]);
}

#[tokio::test]
async fn what_is_no_span_is_refused_and_none_of_its_company_is_kept() {
    let client = client(Bounds::default());
    let good = || span(FIRST, 1, 0, "a", "gateway");
    let long = "x".repeat(3_000);
    let bad = [
        ("trace", Span { trace: "1".to_owned(), ..good() }),
        ("id", Span { id: "G".repeat(16), ..good() }),
        ("parent", Span { parent: "1".to_owned(), ..good() }),
        ("name", Span { name: long.clone(), ..good() }),
        ("error", Span { error: long.clone(), ..good() }),
        ("tags", Span { tags: [("a".to_owned(), long)].into(), ..good() }),
    ];
    for (field, span) in bad {
        let status = collect(&client, vec![good(), span]).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().starts_with(&format!("{field} is refused")), "{}", status.message());
    }
    assert!(names(&client, ListRequest::default()).await.is_empty());
    let missing = client.clone().get(GetRequest { trace: FIRST.to_owned() }).await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    let odd = client.clone().get(GetRequest { trace: "../x".to_owned() }).await.unwrap_err();
    assert_eq!(odd.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn the_oldest_make_room_for_the_latest() {
    let client = client(Bounds { traces: 10, ..Bounds::default() });
    for trace in 1..=100_u64 {
        collect(&client, vec![span(&format!("{trace:032x}"), trace, 0, &format!("trace {trace}"), "gateway")])
            .await
            .unwrap();
    }
    let kept = names(&client, ListRequest { limit: 500, ..ListRequest::default() }).await;
    assert_eq!((kept.len(), kept[0].as_str(), kept[9].as_str()), (10, "trace 100", "trace 91"));
}
