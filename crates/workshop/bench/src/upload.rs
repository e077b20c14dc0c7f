//! Uploading a 4 GiB master by tus, beside `dd conv=fsync` of the same file to the same disk.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
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
    let master = master()?;
    for round in 1..=ROUNDS {
        warm(&master)?;
        let house = House::start(&[])?;
        let idle = house.peak_kib();
        let seconds = upload(&house.address, &master)?;
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
        warm(&master)?;
        let start = Instant::now();
        let output = Command::new("dd")
            .args(["bs=1M", "conv=fsync"])
            .arg(format!("if={}", master.display()))
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

/// The master: 4 GiB whose blocks all differ, so that no disk can cheat.
fn master() -> Result<PathBuf, Failure> {
    let path = films()?.join("four-gibibytes.bin");
    if std::fs::metadata(&path).is_ok_and(|m| m.len() == MIB << 20) {
        return Ok(path);
    }
    eprintln!("making {}", path.display());
    let mut file = BufWriter::new(File::create(&path)?);
    let mut piece: Vec<u8> = (0..1_u32 << 20).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for n in 0..MIB {
        for page in piece.chunks_mut(4096) {
            page[..8].copy_from_slice(&n.to_le_bytes());
        }
        file.write_all(&piece)?;
    }
    file.into_inner()?.sync_all()?;
    Ok(path)
}

/// Reads a file once, so that neither side pays for the disk that it comes from.
fn warm(path: &Path) -> Result<(), Failure> {
    std::io::copy(&mut File::open(path)?, &mut std::io::sink())?;
    Ok(())
}

/// Creates an upload and sends it in one PATCH, by a client that costs as little of this machine as one can: the kernel
/// sends the file. Seconds from the first byte to the acknowledgement.
fn upload(address: &str, master: &Path) -> Result<f64, Failure> {
    let location = block_on(async {
        // "bench.bin" in base64, as tus wants it.
        let created = reqwest::Client::new()
            .post(format!("{address}/uploads"))
            .header("tus-resumable", "1.0.0")
            .header("upload-length", (MIB << 20).to_string())
            .header("upload-metadata", "filename YmVuY2guYmlu")
            .send()
            .await?;
        Ok(created.headers().get("location").ok_or("the upload has no location")?.to_str()?.to_owned())
    })?;
    let path = location.strip_prefix(address).unwrap_or(&location);
    let host = address.strip_prefix("http://").unwrap_or(address);
    let mut stream = TcpStream::connect(host)?;
    let head = format!(
        "PATCH {path} HTTP/1.1\r\nhost: {host}\r\ntus-resumable: 1.0.0\r\nupload-offset: 0\r\nconnection: close\r\n\
         content-type: application/offset+octet-stream\r\ncontent-length: {}\r\n\r\n",
        MIB << 20
    );
    let mut file = File::open(master)?;
    let start = Instant::now();
    stream.write_all(head.as_bytes())?;
    std::io::copy(&mut file, &mut stream)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if !answer.starts_with("HTTP/1.1 204") {
        return Err(answer.into());
    }
    Ok(start.elapsed().as_secs_f64())
}
