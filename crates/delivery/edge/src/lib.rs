//! matinee-edge.
