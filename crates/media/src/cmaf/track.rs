//! Writing a CMAF track (`ftyp moov sidx (moof mdat)*`): samples of one or several MP4 files, joined bit by bit, cut into
//! segments, encrypted where a scheme is given, and hashed.
//!
//! The sources are walked twice, once to plan the segments and once to write them, so that memory holds one segment and
//! a few bytes for each of the others, however long the film is.

use std::io::{self, Seek, SeekFrom, Write};

use super::encrypt::Encryptor;
use super::fragment::{FragmentSample, Pictures, sidx, sidx_size, write_head};
use super::init::{InitSpec, init_segment};
use crate::cenc::Scheme;
use crate::cenc::subsamples::SplitError;
use crate::mp4::{Handler, Mp4, Mp4Error, ReadAt, Sample, Track};
use crate::presentation::{ByteRange, Segment, TrackFile, TrackKey};

/// Samples at a source's start among which its first presented one is.
const REORDERED: usize = 64;
/// The largest segment that is taken.
const MOST_SEGMENT: u64 = 1 << 30;

/// Why a track can't be written.
#[derive(Debug, thiserror::Error)]
pub enum TrackError {
    /// A source is malformed.
    #[error("source {source_number}: {error}")]
    Source {
        /// Which, from 0.
        source_number: usize,
        /// What is wrong.
        error: Mp4Error,
    },
    /// Sources that are to be joined are not coded alike.
    #[error("source {source_number} can't be joined to the first: its {what} differs")]
    Differs {
        /// Which, from 0.
        source_number: usize,
        /// What.
        what: &'static str,
    },
    /// A source starts with a picture that needs others.
    #[error("source {0} does not start with a key frame")]
    NoKeyFrame(usize),
    /// A frame does not last as long as the grid says.
    #[error("source {source_number}, frame {frame}: it lasts {found} ticks, the grid says {expected}")]
    Uneven {
        /// Which, from 0.
        source_number: usize,
        /// From 0.
        frame: u64,
        /// Ticks.
        found: u32,
        /// Ticks.
        expected: u32,
    },
    /// A sample is to be decoded before the one that comes before it.
    #[error("source {source_number}, sample {sample}: it is decoded before the sample before it")]
    OutOfOrder {
        /// Which, from 0.
        source_number: usize,
        /// From 0.
        sample: u64,
    },
    /// Nothing to write.
    #[error("there are no samples to write")]
    Empty,
    /// Too much for one segment.
    #[error("segment {number} would have {bytes} bytes: no key frame for too long")]
    TooLarge {
        /// From 0.
        number: usize,
        /// Bytes.
        bytes: u64,
    },
    /// A picture can't be encrypted.
    #[error("frame {frame}: {error}")]
    Split {
        /// From 0.
        frame: u64,
        /// Why.
        error: SplitError,
    },
    /// The output can't be written.
    #[error("the track can't be written: {0}")]
    Write(#[from] io::Error),
}

/// One track of one MP4 file.
#[derive(Debug)]
pub struct Source<'a, R> {
    /// The file.
    pub file: &'a Mp4<R>,
    /// The track of it.
    pub track: &'a Track,
}

impl<R> Clone for Source<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Source<'_, R> {}

/// How sources are joined and cut.
#[derive(Debug, Clone, Copy)]
pub struct Cutting {
    /// A segment's length in seconds, as a fraction. Pictures are cut at the first key frame from there on, sound next
    /// to each multiple.
    pub seconds: (u64, u64),
    /// Ticks that every frame must last; none where it may vary.
    pub frame_ticks: Option<u32>,
}

/// A source on the joined timeline.
#[derive(Debug, Clone, Copy)]
struct Placed {
    /// Added to the source's decoding times.
    shift: i64,
    /// Added to the source's composition offsets.
    cts_shift: i64,
    /// Samples.
    samples: u64,
}

/// A segment as planned.
#[derive(Debug, Clone, Copy)]
struct Planned {
    samples: u32,
    start: u64,
    duration: u32,
}

/// Where everything will be.
#[derive(Debug)]
pub struct Plan {
    init: InitSpec,
    placed: Vec<Placed>,
    segments: Vec<Planned>,
    frame_ticks: Option<u32>,
}

impl Plan {
    /// Samples of each source.
    pub fn samples(&self) -> impl Iterator<Item = u64> + '_ {
        self.placed.iter().map(|p| p.samples)
    }

    /// Of the whole presentation, in ticks.
    #[must_use]
    pub fn duration(&self) -> u64 {
        self.segments.iter().map(|s| u64::from(s.duration)).sum()
    }

    /// Ticks a second.
    #[must_use]
    pub fn timescale(&self) -> u32 {
        self.init.timescale
    }
}

/// A track that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Bytes of the file.
    pub size: u64,
    /// Ticks a second.
    pub timescale: u32,
    /// `ftyp moov`.
    pub init: ByteRange,
    /// `sidx`.
    pub sidx: ByteRange,
    /// Hex, of both.
    pub head_blake3: String,
    /// In order.
    pub segments: Vec<Segment>,
}

impl Written {
    /// As a presentation lists it: stored as `object`, made by the task with `output_key`.
    #[must_use]
    pub fn into_file(self, object: String, output_key: String, key: Option<TrackKey>) -> TrackFile {
        let rate = |bytes: u64, ticks: u64| (bytes * 8 * u64::from(self.timescale)).div_ceil(ticks.max(1));
        let bytes: u64 = self.segments.iter().map(|s| u64::from(s.size)).sum();
        let ticks: u64 = self.segments.iter().map(|s| u64::from(s.duration)).sum();
        // A last segment of a few frames is no measure of the peak.
        let longest = self.segments.iter().map(|s| s.duration).max().unwrap_or(1);
        let whole = self.segments.iter().filter(|s| s.duration >= longest / 2);
        let peak = whole.map(|s| rate(u64::from(s.size), u64::from(s.duration))).max().unwrap_or(0);
        TrackFile {
            object,
            size: self.size,
            output_key,
            key,
            timescale: self.timescale,
            init: self.init,
            sidx: self.sidx,
            head_blake3: self.head_blake3,
            average_bandwidth: rate(bytes, ticks),
            peak_bandwidth: peak.max(rate(bytes, ticks)),
            segments: self.segments,
        }
    }
}

/// Plans a track from `sources`, joined in their order.
///
/// Pictures are shifted so that the first one of each source is shown where the last source ended; sound keeps its
/// encoder delay, which the edit list leaves out. Sources must have the same codec configuration and timescale.
pub fn plan<R: ReadAt>(sources: &[Source<'_, R>], cutting: &Cutting) -> Result<Plan, TrackError> {
    let first = sources.first().ok_or(TrackError::Empty)?;
    let mut init = InitSpec::of(first.track);
    let pictures = first.track.handler == Handler::Video;
    let mut cutter = Cutter::new(cutting, first.track.timescale, pictures, init.media_time);
    if !pictures {
        // A delay before the sound and the encoder's delay within it are one shift or one edit, not both.
        init.media_time = first.track.media_time.saturating_sub(first.track.delay);
        cutter.media_time = init.media_time;
    }
    let (mut placed, mut end) = (Vec::with_capacity(sources.len()), 0);
    for (number, source) in sources.iter().enumerate() {
        alike(number, first.track, source.track)?;
        let (mut place, base) = (place(number, source, end, pictures)?, end);
        let mut decoded = 0;
        for sample in source.file.samples(source.track) {
            let sample = sample.map_err(|error| TrackError::Source { source_number: number, error })?;
            let sample = even(number, place.samples, sample, cutting.frame_ticks, base, place)?;
            if place.samples == 0 && !sample.sync {
                return Err(TrackError::NoKeyFrame(number));
            }
            if sample.dts < decoded {
                return Err(TrackError::OutOfOrder { source_number: number, sample: place.samples });
            }
            decoded = sample.dts;
            cutter.take(&sample)?;
            end = sample.dts + u64::from(sample.duration);
            place.samples += 1;
        }
        placed.push(place);
    }
    let segments = cutter.end()?;
    Ok(Plan { init, placed, segments, frame_ticks: cutting.frame_ticks })
}

fn alike(number: usize, first: &Track, other: &Track) -> Result<(), TrackError> {
    let differs = |what| Err(TrackError::Differs { source_number: number, what });
    if first.timescale != other.timescale {
        return differs("timescale");
    }
    if (first.entry.code, &first.entry.config) != (other.entry.code, &other.entry.config) {
        return differs("codec configuration");
    }
    if first.entry.codec != other.entry.codec {
        return differs("picture size");
    }
    Ok(())
}

/// Where a source goes on the joined timeline, which so far ends at `end`.
fn place<R: ReadAt>(number: usize, source: &Source<'_, R>, end: u64, pictures: bool) -> Result<Placed, TrackError> {
    let track = source.track;
    let (mut first_dts, mut first_shown) = (None, i64::MAX);
    for sample in source.file.samples(track).take(REORDERED) {
        let sample = sample.map_err(|error| TrackError::Source { source_number: number, error })?;
        first_dts.get_or_insert(sample.dts as i64);
        first_shown = first_shown.min(sample.dts as i64 + i64::from(sample.cts));
    }
    let first_dts = first_dts.ok_or(TrackError::Empty)?;
    let shift = end as i64 - first_dts;
    if pictures {
        // An edit list says which picture is the first; without one it is the one that is shown first.
        let zero = if track.media_time > 0 { track.media_time as i64 } else { first_shown };
        return Ok(Placed { shift, cts_shift: first_dts - zero, samples: 0 });
    }
    let delay = if number == 0 { track.delay.saturating_sub(track.media_time) as i64 } else { 0 };
    Ok(Placed { shift: shift + delay, cts_shift: 0, samples: 0 })
}

/// A sample on the joined timeline, held to the grid where there is one: frame `frame` starts `frame` frames from `base`.
fn even(
    number: usize,
    frame: u64,
    mut sample: Sample,
    ticks: Option<u32>,
    base: u64,
    place: Placed,
) -> Result<Sample, TrackError> {
    sample.dts = sample.dts.saturating_add_signed(place.shift);
    sample.cts = i32::try_from(i64::from(sample.cts) + place.cts_shift).unwrap_or(i32::MAX);
    if let Some(expected) = ticks {
        let at = base + frame * u64::from(expected);
        if sample.dts != at {
            let found = u32::try_from(sample.dts.saturating_sub(at.saturating_sub(u64::from(expected)))).unwrap_or(0);
            return Err(TrackError::Uneven { source_number: number, frame: frame.saturating_sub(1), found, expected });
        }
        // The last frame of a file lasts as long as its writer guessed.
        sample.duration = expected;
    }
    Ok(sample)
}

/// Cuts samples into segments.
struct Cutter {
    seconds: (u64, u64),
    timescale: u32,
    pictures: bool,
    media_time: u64,
    segments: Vec<Planned>,
    samples: u32,
    bytes: u64,
    start: u64,
    end: u64,
}

impl Cutter {
    fn new(cutting: &Cutting, timescale: u32, pictures: bool, media_time: u64) -> Self {
        Self {
            seconds: cutting.seconds,
            timescale,
            pictures,
            media_time,
            segments: Vec::new(),
            samples: 0,
            bytes: 0,
            start: 0,
            end: 0,
        }
    }

    /// When segment `number` should start, in ticks.
    fn boundary(&self, number: u64) -> u64 {
        let ticks = u128::from(number) * u128::from(self.seconds.0) * u128::from(self.timescale);
        u64::try_from(ticks / u128::from(self.seconds.1.max(1))).unwrap_or(u64::MAX)
    }

    fn take(&mut self, sample: &Sample) -> Result<(), TrackError> {
        let start = sample.dts.saturating_sub(self.media_time);
        let half = u64::from(sample.duration / 2);
        let cut = if self.pictures {
            sample.sync && start + half >= self.start + self.boundary(1)
        } else {
            start + half >= self.boundary(self.segments.len() as u64 + 1)
        };
        if cut && self.samples > 0 {
            self.close();
        }
        self.samples += 1;
        self.bytes += u64::from(sample.size);
        if self.bytes > MOST_SEGMENT {
            return Err(TrackError::TooLarge { number: self.segments.len(), bytes: self.bytes });
        }
        // Fragments may overlap by what their writer rounded.
        let end = (sample.dts + u64::from(sample.duration)).saturating_sub(self.media_time);
        self.end = self.end.max(end);
        Ok(())
    }

    fn close(&mut self) {
        let duration = u32::try_from(self.end - self.start).unwrap_or(u32::MAX);
        self.segments.push(Planned { samples: self.samples, start: self.start, duration });
        (self.samples, self.bytes, self.start) = (0, 0, self.end);
    }

    fn end(mut self) -> Result<Vec<Planned>, TrackError> {
        if self.samples > 0 {
            self.close();
        }
        if self.segments.is_empty() { Err(TrackError::Empty) } else { Ok(self.segments) }
    }
}

/// What [`write_pieces`] gives, in this order: the initialisation segment, each segment, the index.
#[derive(Debug, Clone, Copy)]
pub enum Piece<'a> {
    /// `ftyp moov`.
    Init(&'a [u8]),
    /// `moof mdat`.
    Segment {
        /// From 0.
        number: usize,
        /// `moof`, and `mdat`'s header.
        head: &'a [u8],
        /// `mdat`'s body.
        data: &'a [u8],
    },
    /// `sidx`, whose place is between the initialisation segment and the first segment.
    Index(&'a [u8]),
}

/// Writes the planned track to `out`, from its present place on, encrypted by `scheme` where one is given.
pub fn write<R: ReadAt>(
    sources: &[Source<'_, R>],
    plan: &Plan,
    scheme: Option<&Scheme>,
    out: &mut (impl Write + Seek),
) -> Result<Written, TrackError> {
    let mut index_at = 0;
    write_pieces(sources, plan, scheme, |piece| match piece {
        Piece::Init(bytes) => {
            out.write_all(bytes)?;
            index_at = out.stream_position()?;
            out.write_all(&vec![0; sidx_size(plan.segments.len())])
        }
        Piece::Segment { head, data, .. } => {
            out.write_all(head)?;
            out.write_all(data)
        }
        Piece::Index(bytes) => {
            let end = out.stream_position()?;
            out.seek(SeekFrom::Start(index_at))?;
            out.write_all(bytes)?;
            out.seek(SeekFrom::Start(end))?;
            out.flush()
        }
    })
}

/// Gives the planned track piece by piece, encrypted by `scheme` where one is given. The ranges of what is returned are
/// those of the pieces in one file.
pub fn write_pieces<R: ReadAt>(
    sources: &[Source<'_, R>],
    plan: &Plan,
    scheme: Option<&Scheme>,
    mut put: impl FnMut(Piece<'_>) -> io::Result<()>,
) -> Result<Written, TrackError> {
    let first = sources.first().ok_or(TrackError::Empty)?;
    let mut encryptor = scheme.map(|s| Encryptor::new(&first.track.entry, s)).transpose();
    let pictures = if first.track.handler == Handler::Video { Pictures::Yes } else { Pictures::No };
    let mut head_bytes = init_segment(&plan.init, scheme);
    let init = ByteRange { offset: 0, size: head_bytes.len() as u64 };
    let index = ByteRange { offset: init.size, size: sidx_size(plan.segments.len()) as u64 };
    put(Piece::Init(&head_bytes))?;

    let mut walk = Walk::new(sources, plan);
    let (mut samples, mut data, mut head) = (Vec::new(), Vec::new(), Vec::new());
    let (mut offset, mut segments) = (init.size + index.size, Vec::with_capacity(plan.segments.len()));
    for (number, planned) in plan.segments.iter().enumerate() {
        let base_time = walk.segment(planned.samples, &mut samples, &mut data)?;
        let auxiliary = match &mut encryptor {
            Ok(Some(encryptor)) => encryptor.encrypt(&samples, &mut data),
            Ok(None) => Ok(&Default::default()),
            Err(error) => return Err(TrackError::Split { frame: 0, error: error.clone() }),
        };
        let auxiliary = auxiliary
            .map_err(|(n, error)| TrackError::Split { frame: walk.frames - samples.len() as u64 + n, error })?;
        write_head(&mut head, number as u32 + 1, base_time, &samples, auxiliary, pictures);
        let mut hasher = blake3::Hasher::new();
        hasher.update(&head).update(&data);
        put(Piece::Segment { number, head: &head, data: &data })?;
        let size = u32::try_from(head.len() + data.len())
            .map_err(|_| TrackError::TooLarge { number, bytes: data.len() as u64 })?;
        segments.push(Segment {
            start: planned.start,
            duration: planned.duration,
            offset,
            size,
            samples: planned.samples,
            subsamples: auxiliary.runs.len() as u32,
            blake3: hasher.finalize().to_hex().to_string(),
        });
        offset += u64::from(size);
    }
    let lengths: Vec<_> = segments.iter().map(|s| (s.size, s.duration)).collect();
    let index_bytes = sidx(plan.init.timescale, &lengths);
    put(Piece::Index(&index_bytes))?;
    head_bytes.extend_from_slice(&index_bytes);
    let head_blake3 = blake3::hash(&head_bytes).to_hex().to_string();
    Ok(Written { size: offset, timescale: plan.init.timescale, init, sidx: index, head_blake3, segments })
}

/// The second walk through the sources.
struct Walk<'a, R> {
    sources: &'a [Source<'a, R>],
    plan: &'a Plan,
    at: usize,
    samples: crate::mp4::Samples<'a, R>,
    base: u64,
    end: u64,
    in_source: u64,
    frames: u64,
}

impl<'a, R: ReadAt> Walk<'a, R> {
    fn new(sources: &'a [Source<'a, R>], plan: &'a Plan) -> Self {
        let samples = sources[0].file.samples(sources[0].track);
        Self { sources, plan, at: 0, samples, base: 0, end: 0, in_source: 0, frames: 0 }
    }

    fn next(&mut self) -> Result<Sample, TrackError> {
        loop {
            if let Some(sample) = self.samples.next() {
                let sample = sample.map_err(|error| TrackError::Source { source_number: self.at, error })?;
                let (ticks, place) = (self.plan.frame_ticks, self.plan.placed[self.at]);
                let sample = even(self.at, self.in_source, sample, ticks, self.base, place)?;
                (self.in_source, self.frames) = (self.in_source + 1, self.frames + 1);
                self.end = sample.dts + u64::from(sample.duration);
                return Ok(sample);
            }
            self.at += 1;
            let source = self.sources.get(self.at).ok_or(TrackError::Empty)?;
            (self.samples, self.base, self.in_source) = (source.file.samples(source.track), self.end, 0);
        }
    }

    /// Reads the next `count` samples and their bytes; returns when the first is decoded.
    fn segment(
        &mut self,
        count: u32,
        samples: &mut Vec<FragmentSample>,
        data: &mut Vec<u8>,
    ) -> Result<u64, TrackError> {
        samples.clear();
        data.clear();
        let mut base_time = 0;
        // Bytes that stand together are read together.
        let mut run: Option<(usize, u64, u64)> = None;
        for n in 0..count {
            let sample = self.next()?;
            if n == 0 {
                base_time = sample.dts;
            }
            let Sample { size, duration, cts, sync, .. } = sample;
            samples.push(FragmentSample { size, duration, cts, sync });
            run = match run {
                Some((at, from, to)) if at == self.at && to == sample.offset => Some((at, from, to + u64::from(size))),
                other => {
                    self.read(other, data)?;
                    Some((self.at, sample.offset, sample.offset + u64::from(size)))
                }
            };
        }
        self.read(run, data)?;
        Ok(base_time)
    }

    fn read(&self, run: Option<(usize, u64, u64)>, data: &mut Vec<u8>) -> Result<(), TrackError> {
        let Some((source, from, to)) = run else { return Ok(()) };
        let start = data.len();
        data.resize(start + (to - from) as usize, 0);
        let read = self.sources[source].file.read(from, &mut data[start..]);
        read.map_err(|error| TrackError::Source { source_number: source, error })
    }
}
