//! matinee-gateway.
