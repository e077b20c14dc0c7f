//! Persisted queries: those of our own applications, known by the hash of their text.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

/// Our applications' queries: a name and a text each.
pub const OWN: [(&str, &str); 4] = [
    ("home", include_str!("../queries/home.graphql")),
    ("title", include_str!("../queries/title.graphql")),
    ("search", include_str!("../queries/search.graphql")),
    ("rate", include_str!("../queries/rate.graphql")),
];

/// By the SHA-256 of their text, in small hexadecimal digits.
#[derive(Debug, Clone)]
pub struct Persisted(HashMap<String, &'static str>);

impl Default for Persisted {
    fn default() -> Self {
        Self(OWN.iter().map(|(_, text)| (hash(text), *text)).collect())
    }
}

impl Persisted {
    /// The query with this hash.
    #[must_use]
    pub fn get(&self, hash: &str) -> Option<&'static str> {
        self.0.get(hash).copied()
    }

    /// Whether it is one of ours, to the letter.
    #[must_use]
    pub fn knows(&self, text: &str) -> bool {
        self.0.values().any(|known| *known == text)
    }
}

/// The hash by which a query is known.
#[must_use]
pub fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}
