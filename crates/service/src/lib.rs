//! matinee-service.
