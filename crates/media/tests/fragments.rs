//! What is written as a CMAF track is read back sample by sample, and damaged bytes are refused without a panic.

#![allow(clippy::unwrap_used)]

use matinee_media::cmaf::fragment::{Auxiliary, FragmentSample, Pictures, write_head};
use matinee_media::cmaf::init::{InitSpec, init_segment};
use matinee_media::mp4::boxes::write;
use matinee_media::mp4::{Handler, Mp4, Sample};
use proptest::prelude::*;

/// An `avc1` entry with the decoder configuration of High profile, level 3.1.
fn entry() -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out, b"avc1", |out| {
        let mut fields = [0_u8; 78];
        fields[24..28].copy_from_slice(&[2, 128, 1, 104]);
        out.extend_from_slice(&fields);
        write(out, b"avcC", |out| out.extend_from_slice(&[1, 100, 0, 31, 0xff, 0xe0, 0]));
    });
    out
}

fn track(fragments: &[Vec<FragmentSample>]) -> Vec<u8> {
    let spec = InitSpec {
        handler: Handler::Video,
        timescale: 24_000,
        entry: entry(),
        media_time: 0,
        language: *b"und",
        width: 640,
        height: 360,
    };
    let mut file = init_segment(&spec, None);
    let (mut head, mut time) = (Vec::new(), 0);
    for (n, samples) in fragments.iter().enumerate() {
        write_head(&mut head, n as u32 + 1, time, samples, &Auxiliary::default(), Pictures::Yes);
        file.extend_from_slice(&head);
        file.extend(samples.iter().flat_map(|s| std::iter::repeat_n(n as u8, s.size as usize)));
        time += samples.iter().map(|s| u64::from(s.duration)).sum::<u64>();
    }
    file
}

fn fragments() -> impl Strategy<Value = Vec<Vec<FragmentSample>>> {
    let sample = (0_u32..200, 1_u32..3000, -2000_i32..2000, any::<bool>())
        .prop_map(|(size, duration, cts, sync)| FragmentSample { size, duration, cts, sync });
    proptest::collection::vec(proptest::collection::vec(sample, 1..8), 1..4)
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(fragments in fragments()) {
        let file = track(&fragments);
        let read = Mp4::open(file.clone()).unwrap();
        let found = &read.tracks()[0];
        prop_assert_eq!((found.timescale, found.entry.codecs.as_str()), (24_000, "avc1.64001f"));
        let samples: Vec<Sample> = read.samples(found).collect::<Result<_, _>>().unwrap();
        let (mut expected, mut dts) = (fragments.iter().enumerate().flat_map(|(n, f)| f.iter().map(move |s| (n, s))), 0);
        for sample in &samples {
            let (n, written) = expected.next().unwrap();
            prop_assert_eq!((sample.size, sample.duration, sample.cts, sample.sync, sample.dts),
                (written.size, written.duration, written.cts, written.sync, dts));
            let bytes = &file[sample.offset as usize..][..sample.size as usize];
            prop_assert!(bytes.iter().all(|b| *b == n as u8));
            dts += u64::from(sample.duration);
        }
        prop_assert!(expected.next().is_none());
    }

    #[test]
    fn damaged_bytes_are_refused_without_a_panic(
        fragments in fragments(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut file = track(&fragments);
        for (at, value) in damage {
            let at = at.index(file.len());
            file[at] = value;
        }
        file.truncate(cut.index(file.len()) + 1);
        if let Ok(read) = Mp4::open(file) {
            for found in read.tracks() {
                // Every sample, or an error that ends them.
                let taken = read.samples(found).take(100_000).filter(Result::is_ok).count();
                prop_assert!(taken <= 100_000);
            }
        }
    }
}
