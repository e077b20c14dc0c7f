//! Pictures, through the contract: what is taken, what is made of it, and what is refused before anything decodes it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use std::process::Command;

use matinee_catalog::pictures::header;
use matinee_contracts::catalog::{PutArtworkRequest, Title};
use tonic::{Code, Status};

use self::world::{World, ffmpeg, film, refused, world};

/// A picture that ffmpeg makes, as `format` says.
fn picture(source: &str, format: &[&str]) -> Vec<u8> {
    let mut command = Command::new(ffmpeg());
    command.args(["-v", "error", "-f", "lavfi", "-i", source, "-frames:v", "1"]).args(format).arg("pipe:1");
    let made = command.output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    made.stdout
}

const JPEG: &[&str] = &["-c:v", "mjpeg", "-f", "mjpeg"];
const PNG: &[&str] = &["-c:v", "png", "-f", "image2pipe"];
const WEBP: &[&str] = &["-c:v", "libwebp", "-f", "webp"];

async fn send(world: &World, kind: &str, language: &str, image: Vec<u8>) -> Result<Title, Status> {
    let request =
        PutArtworkRequest { title: "kite".to_owned(), kind: kind.to_owned(), language: language.to_owned(), image };
    Ok(world.client.clone().put_artwork(request).await?.into_inner())
}

#[tokio::test]
async fn a_poster_is_made_in_every_size_and_format() {
    let world = world().await;
    world.put(film("kite")).await.unwrap();
    let image = picture("color=c=0x2040c0:s=700x1050", JPEG);
    let title = send(&world, "poster", "", image.clone()).await.unwrap();
    assert_eq!((title.revision, title.artworks.len()), (2, 1));
    let poster = &title.artworks[0];
    assert_eq!((poster.kind.as_str(), poster.width, poster.height), ("poster", 700, 1050));
    assert_eq!(poster.blake3, blake3::hash(&image).to_hex().as_str());
    let channel = |at| i32::from_str_radix(&poster.colour[at..at + 2], 16).unwrap();
    assert!((channel(1) - 0x20).abs() < 12 && (channel(3) - 0x40).abs() < 12 && (channel(5) - 0xc0).abs() < 12);
    let made: Vec<_> = poster.files.iter().map(|f| (f.format.as_str(), f.width)).collect();
    let expected: Vec<_> =
        [160, 320, 640, 700].into_iter().flat_map(|w| ["avif", "webp", "jpeg"].map(|f| (f, w))).collect();
    assert_eq!(made, expected);
    for file in &poster.files {
        let bytes = world.objects.get(&file.object).await.unwrap();
        assert!(file.object.starts_with("artwork/kite/poster/"), "{}", file.object);
        assert_eq!(bytes.len() as u64, file.size);
        let read = header::read(&bytes).unwrap();
        assert_eq!((read.format.name(), read.width, read.height), (file.format.as_str(), file.width, file.height));
        assert!((file.width * 3).abs_diff(file.height * 2) <= 4, "the shape stays: {file:?}");
    }
    assert_eq!(world.get("kite").await.unwrap(), title, "the next read sees it");
    assert_eq!(send(&world, "poster", "", image).await.unwrap(), title, "the same again changes nothing");

    let german = send(&world, "poster", "DE", picture("color=c=red:s=400x600", WEBP)).await.unwrap();
    assert_eq!(german.artworks.iter().map(|a| a.language.as_str()).collect::<Vec<_>>(), ["", "de"]);
    let other = send(&world, "poster", "", picture("color=c=white:s=320x480", PNG)).await.unwrap();
    assert_eq!((other.artworks.len(), other.artworks[0].colour.as_str()), (2, "#ffffff"));
    let words = world.put(Title { artworks: Vec::new(), name: "Kites".to_owned(), ..other.clone() }).await.unwrap();
    assert_eq!(words.artworks, other.artworks, "words change, pictures stay");

    world.delete("kite", 0).await.unwrap();
    assert_eq!(world.objects.list("artwork/kite").await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_logo_stays_transparent() {
    let world = world().await;
    world.put(film("kite")).await.unwrap();
    let image = picture("color=c=red@0.0:s=600x200,format=rgba", PNG);
    let title = send(&world, "logo", "", image).await.unwrap();
    let formats: Vec<_> = title.artworks[0].files.iter().map(|f| (f.format.as_str(), f.width)).collect();
    assert_eq!(formats, [240, 480, 600].map(|w| [("webp", w), ("png", w)]).concat());
    let png = title.artworks[0].files.iter().find(|f| f.format == "png").unwrap();
    // Colour type 6: with an alpha channel (RFC 2083, 4.1.1).
    assert_eq!(world.objects.get(&png.object).await.unwrap()[25], 6);
}

#[tokio::test]
async fn an_avif_that_was_made_is_taken_again() {
    let world = world().await;
    world.put(film("kite")).await.unwrap();
    let title = send(&world, "backdrop", "", picture("testsrc2=s=640x360", PNG)).await.unwrap();
    let avif = title.artworks[0].files.iter().rfind(|f| f.format == "avif").unwrap();
    let image = world.objects.get(&avif.object).await.unwrap().to_vec();
    let again = send(&world, "still", "", image).await.unwrap();
    assert_eq!((again.artworks[1].width, again.artworks[1].height), (640, 360));
}

/// A PNG that says it is so large.
fn claiming(width: u32, height: u32) -> Vec<u8> {
    let mut png = picture("color=c=red:s=320x480", PNG);
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&crc.to_be_bytes());
    png
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    };
    !bytes.iter().fold(u32::MAX, step)
}

#[tokio::test]
async fn what_is_no_picture_or_too_much_of_one_is_refused_by_name() {
    let world = world().await;
    world.put(film("kite")).await.unwrap();
    let jpeg = picture("testsrc2=s=640x960", JPEG);
    let mut cut = jpeg.clone();
    cut.truncate(jpeg.len() / 3);
    for (what, kind, image) in [
        ("nothing", "poster", Vec::new()),
        ("a playlist", "poster", b"#EXTM3U\nfile:///etc/passwd\n".to_vec()),
        ("a drawing", "poster", b"<svg xmlns='http://www.w3.org/2000/svg' width='400' height='600'/>".to_vec()),
        ("a bomb", "poster", claiming(60_000, 60_000)),
        ("a thin bomb", "poster", claiming(320, 2_000_000)),
        ("a large bomb", "poster", claiming(8_000, 9_000)),
        ("a lie", "poster", claiming(2_000, 3_000)),
        ("small", "poster", picture("color=c=red:s=200x300", PNG)),
        ("a half", "poster", cut),
        ("wide", "poster", picture("color=c=red:s=900x600", PNG)),
        ("upright", "backdrop", picture("color=c=red:s=600x900", PNG)),
        ("a film", "still", picture("testsrc2=s=640x360:d=1", &["-c:v", "libx264", "-f", "matroska"])),
        ("heavy", "poster", [jpeg.clone(), vec![0; 20 << 20]].concat()),
    ] {
        let result = send(&world, kind, "", image).await;
        assert!(result.is_err(), "{what}: {result:?}");
        refused(result, "image");
    }
    refused(send(&world, "banner", "", jpeg.clone()).await, "kind");
    refused(send(&world, "poster", "de_DE", jpeg.clone()).await, "language");
    let title = world.get("kite").await.unwrap();
    assert_eq!((title.revision, title.artworks.len()), (1, 0));
    assert_eq!(world.objects.list("artwork").await.unwrap(), Vec::<String>::new(), "nothing is left of them");
    world.delete("kite", 0).await.unwrap();
    assert_eq!(send(&world, "poster", "", jpeg).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn without_a_tool_no_picture_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let service = matinee_catalog::CatalogService::open(&folder.path().join("catalog.db")).await.unwrap();
    let request =
        PutArtworkRequest { title: "kite".to_owned(), kind: "poster".to_owned(), ..PutArtworkRequest::default() };
    let refused = world::client(&service).put_artwork(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "{}", refused.message());
}
