//! From a master's picture to a rendition's: ffmpeg's filters, as pure functions.

use matinee_model::codec::{VideoCodec, VideoRange};

use crate::inspection::{Scan, VideoStream};
use crate::rendition::VideoRendition;

/// The nominal peak of an SDR picture that HDR is mapped to, in candela a square metre.
const SDR_PEAK: u32 = 100;

/// Makes frames whole and upright, and shows them at the master's constant rate: exactly `frames` of them, the first
/// being frame `first`. Where the master ends early its last frame is held.
#[must_use]
pub fn frames(source: &VideoStream, first: u64, frames: u64) -> String {
    let mut chain = Vec::new();
    match source.scan {
        Scan::Progressive => {}
        Scan::Top => chain.push("bwdif=mode=send_frame:parity=tff:deint=all".to_owned()),
        Scan::Bottom => chain.push("bwdif=mode=send_frame:parity=bff:deint=all".to_owned()),
    }
    let start = source.start_us as f64 / 1e6 + source.frame_rate.seconds_at(first);
    chain.push(format!("fps=fps={}:start_time={start:.6}:round=near", source.frame_rate));
    chain.push("tpad=stop=-1:stop_mode=clone".to_owned());
    chain.push(format!("trim=end_frame={frames}"));
    chain.push("setpts=PTS-STARTPTS".to_owned());
    match source.rotation {
        90 => chain.push("transpose=clock".to_owned()),
        180 => chain.push("hflip,vflip".to_owned()),
        270 => chain.push("transpose=cclock".to_owned()),
        _ => {}
    }
    chain.join(",")
}

/// Whether a rendition's picture keeps the master's high dynamic range.
#[must_use]
pub fn keeps_range(source: &VideoStream, rendition: &VideoRendition) -> bool {
    source.range != VideoRange::Sdr && rendition.description.range == source.range
}

/// Whether a rendition has ten bits.
#[must_use]
pub fn ten_bits(source: &VideoStream, rendition: &VideoRendition) -> bool {
    keeps_range(source, rendition) || (rendition.description.codec != VideoCodec::H264 && source.bits > 8)
}

/// The master's matrix: what it says, or what players assume.
fn matrix(source: &VideoStream) -> &str {
    match source.color.space.as_str() {
        "bt2020nc" | "bt2020c" => "bt2020nc",
        "smpte170m" | "bt470bg" | "fcc" => "smpte170m",
        "smpte240m" => "smpte240m",
        "" if source.height < 720 => "smpte170m",
        _ => "bt709",
    }
}

/// Makes a picture of the master one of standard dynamic range in BT.709, of this size, square pixels, 8 or 10 bits.
#[must_use]
pub fn to_sdr(source: &VideoStream, width: u32, height: u32, format: &str) -> String {
    let tags = "setsar=1,setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv";
    if source.range == VideoRange::Sdr {
        let (from, range) = (scale_matrix(matrix(source)), if source.color.range == "pc" { "pc" } else { "tv" });
        return format!(
            "scale={width}:{height}:flags=bicubic:in_color_matrix={from}:out_color_matrix=bt709:in_range={range}:out_range=tv,\
             format={format},{tags}"
        );
    }
    let transfer = if source.range == VideoRange::Pq { "smpte2084" } else { "arib-std-b67" };
    let range = if source.color.range == "pc" { "full" } else { "limited" };
    // Light is mapped when it is linear, on as few pixels as there will be.
    format!(
        "scale={width}:{height}:flags=bicubic,\
         zscale=tin={transfer}:min=bt2020nc:pin=bt2020:rin={range}:t=linear:npl={SDR_PEAK},format=gbrpf32le,\
         zscale=p=bt709,tonemap=tonemap=hable:desat=0,zscale=t=bt709:m=bt709:p=bt709:r=limited,format={format},{tags}"
    )
}

/// The names that ffmpeg's scaler has for matrices.
fn scale_matrix(matrix: &str) -> &str {
    match matrix {
        "bt2020nc" => "bt2020",
        "smpte170m" => "bt601",
        other => other,
    }
}

/// Keeps high dynamic range: only the size changes.
#[must_use]
pub fn keep_hdr(source: &VideoStream, width: u32, height: u32) -> String {
    let transfer = if source.range == VideoRange::Pq { "smpte2084" } else { "arib-std-b67" };
    let range = if source.color.range == "pc" { "pc" } else { "tv" };
    format!(
        "scale={width}:{height}:flags=bicubic:in_range={range}:out_range=tv,format=yuv420p10le,setsar=1,\
         setparams=color_primaries=bt2020:color_trc={transfer}:colorspace=bt2020nc:range=tv"
    )
}

/// The whole graph from input `input` (`0:0`) to a pad `[v0]`, `[v1]`, … for each rendition.
///
/// Each smaller picture of a kind is scaled from the next larger one, so that a frame of the master is read once.
#[must_use]
pub fn graph(input: &str, source: &VideoStream, renditions: &[&VideoRendition], first: u64, count: u64) -> String {
    let mut order: Vec<usize> = (0..renditions.len()).collect();
    let kind = |n: usize| (keeps_range(source, renditions[n]), ten_bits(source, renditions[n]), renditions[n].every);
    let lines = |n: usize| renditions[n].description.height;
    // Whole rates before halved ones, larger before smaller.
    order.sort_by_key(|n| (kind(*n), std::cmp::Reverse(lines(*n))));
    let mut kinds: Vec<Vec<usize>> = Vec::new();
    for n in order {
        match kinds.last_mut() {
            Some(last) if kind(last[0]) == kind(n) => last.push(n),
            _ => kinds.push(vec![n]),
        }
    }
    let mut graph = format!("[{input}]{}", frames(source, first, count));
    let heads: Vec<String> = (0..kinds.len()).map(|k| format!("[k{k}]")).collect();
    if kinds.len() > 1 {
        graph.push_str(&format!(",split={}", kinds.len()));
    }
    graph.push_str(&heads.concat());
    for (k, members) in kinds.iter().enumerate() {
        let mut from = heads[k].clone();
        for (step, n) in members.iter().enumerate() {
            let rendition = renditions[*n];
            let (width, height) = (rendition.description.width, rendition.description.height);
            let format = if ten_bits(source, rendition) { "yuv420p10le" } else { "yuv420p" };
            let mut chain = match (step, keeps_range(source, rendition)) {
                (0, true) => keep_hdr(source, width, height),
                (0, false) => to_sdr(source, width, height, format),
                _ => format!("scale={width}:{height}:flags=bicubic,setsar=1"),
            };
            if step == 0 && rendition.every > 1 {
                chain = format!("framestep={},{chain}", rendition.every);
            }
            let last = step + 1 == members.len();
            let out = if last { format!("[v{n}]") } else { format!(",split=2[v{n}][c{n}]") };
            graph.push_str(&format!(";{from}{chain}{out}"));
            from = format!("[c{n}]");
        }
    }
    graph
}
