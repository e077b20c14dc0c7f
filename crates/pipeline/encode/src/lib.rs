//! matinee-encode.
