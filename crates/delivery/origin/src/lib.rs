//! matinee-origin.
