//! Names that follow from what they stand for, so that the same thing can't be written, or charged, under two.

use std::hash::{Hash, Hasher};

use sha2::{Digest, Sha256};

/// 32 hexadecimal digits, the same for the same parts: `derived(&["renewal", subscription, "3", "0"])`.
pub(crate) fn derived(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // Their lengths too, so that ("ab", "c") and ("a", "bc") differ.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex::encode(&hash.finalize()[..16])
}

/// Which of `count` places, 1 or more, something of that name has.
pub(crate) fn place_of(name: &str, count: usize) -> usize {
    let mut hasher = std::hash::DefaultHasher::new();
    name.hash(&mut hasher);
    // Less than `count`, so it fits.
    (hasher.finish() % count as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_follows_from_its_parts() {
        assert_eq!(derived(&["a", "b"]), derived(&["a", "b"]));
        assert_ne!(derived(&["ab", "c"]), derived(&["a", "bc"]));
        assert_eq!(derived(&[]).len(), 32);
    }
}
