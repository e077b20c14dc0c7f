//! matinee-engines.
