//! matinee-playback.
