//! CMAF (ISO/IEC 23000-19): initialisation segments, fragments, and whole tracks.

pub mod encrypt;
pub mod fragment;
pub mod init;
pub mod track;
