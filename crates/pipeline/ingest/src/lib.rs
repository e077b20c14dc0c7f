//! matinee-ingest.
