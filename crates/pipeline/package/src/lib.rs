//! matinee-package.
