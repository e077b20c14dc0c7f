//! matinee-catalog.
