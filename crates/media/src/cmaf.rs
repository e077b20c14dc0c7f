//! CMAF tracks (ISO/IEC 23000-19): the initialisation segment, fragments and the segment index.

pub mod fragment;
pub mod init;
