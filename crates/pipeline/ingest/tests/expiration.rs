//! An upload that nobody goes on with is thrown away when its time is over, and not before.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::body::Body;
use http::{Method, Request, StatusCode};
use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_engines::events::{self, EventLogConfig};
use matinee_engines::objects::folder::FolderStore;
use matinee_ingest::{IngestConfig, IngestService};
use matinee_service::channel::Channel;
use matinee_service::clock::Clock;
use tower::ServiceExt;

const DAY_US: i64 = 24 * 3600 * 1_000_000;

/// A clock that is set.
#[derive(Debug)]
struct Hands(AtomicI64);

impl Clock for Hands {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

async fn request(service: &IngestService, method: Method, id: &str, body: &'static [u8]) -> http::Response<Body> {
    let request = Request::builder()
        .method(method)
        .uri(format!("/uploads/{id}"))
        .header("tus-resumable", "1.0.0")
        .header("upload-offset", "0")
        .header("content-type", "application/offset+octet-stream")
        .body(Body::from(body))
        .unwrap();
    matinee_ingest::router(service.clone()).oneshot(request).await.unwrap()
}

#[tokio::test]
async fn an_upload_expires_after_its_last_byte_not_its_first() {
    let folder = tempfile::tempdir().unwrap();
    let objects = Arc::new(FolderStore::open(&folder.path().join("objects")).unwrap());
    let log = events::open(&folder.path().join("events"), EventLogConfig::default()).await.unwrap();
    // Nothing asks the catalogue before a master is whole.
    let catalog = CatalogClient::new(Channel::remote("http://127.0.0.1:9", "none").unwrap());
    let config = IngestConfig { max_bytes: 1000, expire: Duration::from_secs(7 * 24 * 3600) };
    let clock = Arc::new(Hands(AtomicI64::new(1_800_000_000_000_000)));
    let path = folder.path().join("ingest.db");
    let service = IngestService::open(&path, objects, log, catalog, config).await.unwrap().with_clock(clock.clone());

    let begun = service.begin(10, BTreeMap::new()).await.unwrap();
    let left = service.begin(10, BTreeMap::new()).await.unwrap();
    clock.0.fetch_add(6 * DAY_US, Ordering::SeqCst);
    let written = request(&service, Method::PATCH, &begun.id, b"half!").await;
    assert_eq!(written.status(), StatusCode::NO_CONTENT);
    assert_eq!(written.headers()["upload-expires"], "Thu, 28 Jan 2027 08:00:00 GMT");
    clock.0.fetch_add(2 * DAY_US, Ordering::SeqCst);
    service.round().await.unwrap();
    assert_eq!(request(&service, Method::HEAD, &left.id, b"").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(request(&service, Method::HEAD, &begun.id, b"").await.status(), StatusCode::OK);
    clock.0.fetch_add(6 * DAY_US, Ordering::SeqCst);
    service.round().await.unwrap();
    assert_eq!(request(&service, Method::HEAD, &begun.id, b"").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(std::fs::read_dir(folder.path().join("objects/.parts")).unwrap().count(), 0, "their bytes are gone");
}
