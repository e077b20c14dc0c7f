//! Uploading a 4 GiB master by tus, beside `dd conv=fsync` to the same disk.

use std::process::Command;
use std::time::Instant;

use crate::house::{House, block_on};
use crate::measure::{Failure, Goal, films, line, median};

const MIB: u64 = 4096;
const ROUNDS: usize = 3;

/// Measures MB a second from the first byte to the acknowledgement, and the server's memory.
pub fn run() -> Result<(), Failure> {
    let (mut ours, mut peer, mut peak) = (Vec::new(), Vec::new(), 0);
    let megabytes = (MIB << 20) as f64 / 1e6;
    for round in 1..=ROUNDS {
        let house = House::start(&[])?;
        let idle = house.peak_kib();
        let seconds = block_on(upload(&house.address))?;
        peak = peak.max(house.peak_kib());
        eprintln!(
            "round {round}, ours: {:.0} MB/s, {} MiB before, {} MiB peak",
            megabytes / seconds,
            idle >> 10,
            house.peak_kib() >> 10
        );
        ours.push(megabytes / seconds);
        drop(house);
        let target = films()?.join("dd.bin");
        let start = Instant::now();
        let output = Command::new("dd")
            .args(["if=/dev/zero", "bs=1M", &format!("count={MIB}"), "conv=fsync"])
            .arg(format!("of={}", target.display()))
            .output()?;
        let seconds = start.elapsed().as_secs_f64();
        std::fs::remove_file(&target)?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        eprintln!("round {round}, dd: {:.0} MB/s", megabytes / seconds);
        peer.push(megabytes / seconds);
    }
    line("upload-memory", peak as f64 / 1024.0, 150.0, "MiB", Goal::AtMost(1.0));
    line("upload", median(ours), median(peer), "MB/s", Goal::AtLeast(0.70));
    Ok(())
}

/// Creates an upload and sends it in one PATCH. The bytes differ from piece to piece, so that no disk can cheat.
async fn upload(address: &str) -> Result<f64, Failure> {
    let client = reqwest::Client::new();
    // "bench.bin" in base64, as tus wants it.
    let created = client
        .post(format!("{address}/uploads"))
        .header("tus-resumable", "1.0.0")
        .header("upload-length", (MIB << 20).to_string())
        .header("upload-metadata", "filename YmVuY2guYmlu")
        .send()
        .await?;
    let location = created.headers().get("location").ok_or("the upload has no location")?.to_str()?.to_owned();
    let location = if location.starts_with('/') { format!("{address}{location}") } else { location };
    let mut piece: Vec<u8> = (0..1_u32 << 20).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Vec<u8>, std::io::Error>>(4);
    tokio::spawn(async move {
        for n in 0..MIB {
            piece[..8].copy_from_slice(&n.to_le_bytes());
            if sender.send(Ok(piece.clone())).await.is_err() {
                return;
            }
        }
    });
    let body = reqwest::Body::wrap_stream(tokio_stream::wrappers::ReceiverStream::new(receiver));
    let start = Instant::now();
    let response = client
        .patch(location)
        .header("tus-resumable", "1.0.0")
        .header("upload-offset", "0")
        .header("content-type", "application/offset+octet-stream")
        .body(body)
        .send()
        .await?;
    if response.status() != 204 {
        return Err(format!("{}: {}", response.status(), response.text().await?).into());
    }
    Ok(start.elapsed().as_secs_f64())
}
