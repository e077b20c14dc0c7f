//! matinee-license.
