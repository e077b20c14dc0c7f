//! tus 1.0 as the real program speaks it: what is acknowledged is kept, what is wrong is refused by the protocol's codes.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod house;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use house::{House, film, wait};
use reqwest::{Client, Method, RequestBuilder, Response};
use sha1::Digest;
use tokio::io::AsyncWriteExt;

const PATCH_TYPE: &str = "application/offset+octet-stream";

/// An installation and a client of it.
struct World {
    house: House,
    client: Client,
}

impl World {
    async fn open(settings: &[(&str, &str)]) -> Self {
        let mut house = House::new(settings);
        house.start(&[]).await;
        Self { house, client: Client::new() }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.house.address)).header("tus-resumable", "1.0.0")
    }

    async fn create(&self, length: usize, metadata: &str) -> Response {
        let request = self.request(Method::POST, "/uploads").header("upload-length", length);
        request.header("upload-metadata", metadata).send().await.unwrap()
    }

    /// The path of a new upload of `length` bytes.
    async fn begun(&self, length: usize) -> String {
        let created = self.create(length, &format!("filename {}", STANDARD.encode("film.mp4"))).await;
        assert_eq!(created.status(), 201);
        header(&created, "location")
    }

    async fn patch(&self, path: &str, offset: usize, bytes: &[u8], checksum: Option<String>) -> Response {
        let mut request = self.request(Method::PATCH, path).header("upload-offset", offset);
        if let Some(checksum) = checksum {
            request = request.header("upload-checksum", checksum);
        }
        request.header("content-type", PATCH_TYPE).body(bytes.to_vec()).send().await.unwrap()
    }

    /// How far an upload is.
    async fn offset(&self, path: &str) -> usize {
        let answer = self.request(Method::HEAD, path).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        header(&answer, "upload-offset").parse().unwrap()
    }
}

fn header(response: &Response, name: &str) -> String {
    response.headers().get(name).unwrap_or_else(|| panic!("no {name} in {response:?}")).to_str().unwrap().to_owned()
}

fn sha1(bytes: &[u8]) -> String {
    format!("sha1 {}", STANDARD.encode(sha1::Sha1::digest(bytes)))
}

fn noise(length: usize) -> Vec<u8> {
    (0..length as u64).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_protocols_refusals_are_its_own() {
    let world = World::open(&[("MATINEE_INGEST__MAX_BYTES", "1000000")]).await;
    let options = world.client.request(Method::OPTIONS, format!("{}/uploads", world.house.address));
    let options = options.send().await.unwrap();
    assert_eq!((options.status().as_u16(), header(&options, "tus-version")), (204, "1.0.0".to_owned()));
    assert_eq!(header(&options, "tus-extension"), "creation,checksum,termination,expiration");
    assert_eq!(header(&options, "tus-max-size"), "1000000");

    let unversioned = world.client.post(format!("{}/uploads", world.house.address)).send().await.unwrap();
    assert_eq!((unversioned.status().as_u16(), header(&unversioned, "tus-version")), (412, "1.0.0".to_owned()));
    assert_eq!(world.create(1_000_001, "").await.status(), 413);
    let empty = world.create(0, "").await;
    assert_eq!(empty.status(), 400);
    assert!(empty.text().await.unwrap().contains("empty"));
    let garbled = world.create(10, "filename ???").await;
    assert_eq!(garbled.status(), 400);
    assert!(garbled.text().await.unwrap().contains("filename"));
    let lengthless = world.request(Method::POST, "/uploads").send().await.unwrap();
    assert_eq!(lengthless.status(), 400);
    let unknown = world.request(Method::HEAD, "/uploads/0123456789abcdef0123456789abcdef").send().await.unwrap();
    assert_eq!(unknown.status(), 404);

    let path = world.begun(100).await;
    assert_eq!(world.patch(&path, 7, b"x", None).await.status(), 409);
    let mistyped = world.request(Method::PATCH, &path).header("upload-offset", 0).header("content-type", "text/plain");
    assert_eq!(mistyped.body("x").send().await.unwrap().status(), 415);
    let long = world.patch(&path, 0, &noise(101), None).await;
    assert_eq!(long.status(), 400);
    assert!(long.text().await.unwrap().contains("more bytes came than the 100"));
    assert_eq!(world.offset(&path).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_differ_from_their_checksum_are_not_kept() {
    let world = World::open(&[]).await;
    let bytes = noise(3_000_000);
    let path = world.begun(bytes.len()).await;
    assert_eq!(world.patch(&path, 0, &bytes[..1_500_000], Some(sha1(&bytes[..1_500_000]))).await.status(), 204);
    let wrong = world.patch(&path, 1_500_000, &bytes[1_500_000..2_500_000], Some(sha1(b"something else"))).await;
    assert_eq!(wrong.status(), 460);
    assert_eq!(world.offset(&path).await, 1_500_000);
    for malformed in ["md5 AAAA", "sha1", "sha256 ???"] {
        let refused = world.patch(&path, 1_500_000, b"x", Some(malformed.to_owned())).await;
        assert_eq!(refused.status(), 400, "{malformed}");
    }
    assert_eq!(world.patch(&path, 1_500_000, &bytes[1_500_000..], None).await.status(), 204);
    let stored = world.house.data.join("objects/masters").join(path.trim_start_matches("/uploads/"));
    assert!(std::fs::read(stored).unwrap() == bytes, "the master is what was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_ended_is_gone_and_a_whole_one_stays() {
    let world = World::open(&[]).await;
    let path = world.begun(1000).await;
    assert_eq!(world.patch(&path, 0, &noise(400), None).await.status(), 204);
    assert_eq!(world.request(Method::DELETE, &path).send().await.unwrap().status(), 204);
    assert_eq!(world.request(Method::HEAD, &path).send().await.unwrap().status(), 404);
    assert_eq!(world.patch(&path, 400, b"x", None).await.status(), 404);
    let parts = world.house.data.join("objects/.parts");
    assert_eq!(std::fs::read_dir(parts).unwrap().count(), 0, "its bytes are gone");

    let whole = world.begun(10).await;
    assert_eq!(world.patch(&whole, 0, &noise(10), None).await.status(), 204);
    assert_eq!(world.request(Method::DELETE, &whole).send().await.unwrap().status(), 400);
    assert_eq!(world.offset(&whole).await, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_before_the_sender_or_the_server_died_is_kept() {
    let mut world = World::open(&[("MATINEE_ENCODE__VMAF_SHARE", "0")]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("film.mp4");
    film(&file, 4, "320x180", &["-b:v", "4M", "-minrate", "4M", "-x264-params", "nal-hrd=cbr", "-bufsize", "1M"]);
    let bytes = std::fs::read(&file).unwrap();
    let metadata = format!("filename {},titleId {}", STANDARD.encode("film.mp4"), STANDARD.encode("killed"));
    let created = world.create(bytes.len(), &metadata).await;
    let path = header(&created, "location");

    // A sender that promises everything and dies in the middle.
    let host = world.house.address.trim_start_matches("http://").to_owned();
    let half = bytes.len() / 2;
    let mut socket = tokio::net::TcpStream::connect(&host).await.unwrap();
    let head = format!(
        "PATCH {path} HTTP/1.1\r\nhost: {host}\r\ntus-resumable: 1.0.0\r\nupload-offset: 0\r\n\
         content-type: {PATCH_TYPE}\r\ncontent-length: {}\r\n\r\n",
        bytes.len()
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&bytes[..half]).await.unwrap();
    socket.shutdown().await.unwrap();
    drop(socket);
    wait(Duration::from_secs(20), "the half to be kept", async || (world.offset(&path).await == half).then_some(()))
        .await;

    // Now the server dies.
    world.house.kill();
    world.house.start(&[]).await;
    assert_eq!(world.offset(&path).await, half);
    let rest = world.patch(&path, half, &bytes[half..], None).await;
    assert_eq!((rest.status().as_u16(), header(&rest, "upload-offset")), (204, bytes.len().to_string()));
    let stored = world.house.data.join("objects/masters").join(path.trim_start_matches("/uploads/"));
    assert!(std::fs::read(stored).unwrap() == bytes, "byte for byte");
    let uploads = world.house.published("killed").await;
    assert!((uploads["durationSeconds"].as_f64().unwrap() - 4.0).abs() < 0.1, "{uploads}");
}
