//! Common Encryption (ISO/IEC 23001-7): `cbcs` and `cenc`, which bytes they cover, and `pssh`.

pub mod cipher;
pub mod pssh;
pub mod subsamples;

/// What a track is encrypted with.
#[derive(Clone, PartialEq, Eq)]
pub struct ContentKey {
    /// The key's id.
    pub kid: [u8; 16],
    /// AES-128.
    pub key: [u8; 16],
    /// The constant IV of `cbcs`.
    pub iv: [u8; 16],
}

impl std::fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ContentKey({})", hex::encode(self.kid))
    }
}

/// How a track is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// AES-CBC, one block of ten in video, constant IV.
    Cbcs(ContentKey),
    /// AES-CTR, with IVs that rise from `first_iv`, which must differ between tracks that share a key.
    Cenc {
        /// The key.
        key: ContentKey,
        /// The IV of the track's first sample.
        first_iv: u64,
    },
}

impl Scheme {
    /// The key.
    #[must_use]
    pub fn key(&self) -> &ContentKey {
        match self {
            Self::Cbcs(key) | Self::Cenc { key, .. } => key,
        }
    }

    /// The scheme's four characters.
    #[must_use]
    pub fn code(&self) -> &'static [u8; 4] {
        match self {
            Self::Cbcs(_) => b"cbcs",
            Self::Cenc { .. } => b"cenc",
        }
    }
}

/// A run of clear bytes and the protected bytes behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Subsample {
    /// Bytes.
    pub clear: u16,
    /// Bytes.
    pub protected: u32,
}
