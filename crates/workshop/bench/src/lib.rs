//! matinee-bench.
