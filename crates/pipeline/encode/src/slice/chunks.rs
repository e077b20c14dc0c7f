//! Where a film is cut into chunks.

/// A chunk: frames `first..first + frames`, at the master's constant rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Chunk {
    /// On the segment grid.
    pub first: u64,
    /// How many.
    pub frames: u64,
}

/// Cuts `frames` into chunks of about `target` frames, each starting on a multiple of `segment` frames.
///
/// Within a quarter of a chunk around each planned cut, the grid point nearest to one of `shots` (frame numbers, rising)
/// is taken, because a cut between shots is never seen. The chunks cover `0..frames` without a gap, and none is shorter
/// than half of `target` unless the film is.
#[must_use]
pub fn chunks(frames: u64, segment: u64, target: u64, shots: &[u64]) -> Vec<Chunk> {
    let segment = segment.max(1);
    let target = (target / segment).max(1) * segment;
    let reach = (target / 4 / segment) * segment;
    let mut cuts = vec![0];
    loop {
        let last = cuts.last().copied().unwrap_or(0);
        let planned = last + target;
        if planned + target / 2 > frames || planned >= frames {
            break;
        }
        let cut = (planned - reach..=planned + reach)
            .step_by(usize::try_from(segment).unwrap_or(usize::MAX))
            .filter(|at| *at < frames)
            .min_by_key(|at| (distance(*at, shots).min(segment / 2), at.abs_diff(planned)))
            .unwrap_or(planned);
        cuts.push(cut);
    }
    let ends = cuts.iter().skip(1).copied().chain([frames]).collect::<Vec<_>>();
    cuts.iter().zip(ends).map(|(first, end)| Chunk { first: *first, frames: end - first }).collect()
}

/// How far the nearest shot boundary is.
fn distance(at: u64, shots: &[u64]) -> u64 {
    let next = shots.partition_point(|shot| *shot < at);
    let before = next.checked_sub(1).map_or(u64::MAX, |i| at.abs_diff(shots[i]));
    shots.get(next).map_or(before, |shot| shot.abs_diff(at).min(before))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cut_is_moved_to_a_shot_boundary_on_the_grid() {
        let cuts: Vec<u64> = chunks(1000, 100, 400, &[298, 701]).iter().map(|c| c.first).collect();
        assert_eq!(cuts, [0, 300, 700]);
        assert_eq!(chunks(90, 100, 400, &[]), [Chunk { first: 0, frames: 90 }]);
    }

    proptest! {
        #[test]
        fn chunks_cover_the_film_on_the_grid(
            frames in 1_u64..200_000, segment in 1_u64..500, target in 1_u64..20_000,
            mut shots in proptest::collection::vec(0_u64..200_000, 0..50),
        ) {
            shots.sort_unstable();
            let made = chunks(frames, segment, target, &shots);
            let mut at = 0;
            for chunk in &made {
                prop_assert_eq!(chunk.first, at);
                prop_assert!(chunk.frames > 0);
                prop_assert_eq!(chunk.first % segment, 0);
                at += chunk.frames;
            }
            prop_assert_eq!(at, frames);
        }
    }
}
