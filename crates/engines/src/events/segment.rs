//! One file of a topic: records with their length and checksum, one after the other.
//!
//! Layout of a record, little endian: length of the rest after the checksum (u32), CRC-32 of that rest (u32), then
//! microseconds (i64), length of the key (u16), key, payload. The file's name is the number of its first event.

use bytes::Bytes;

use super::{Event, MAX_KEY, MAX_PAYLOAD};

/// Length and checksum.
const HEAD: usize = 8;
/// Time and the key's length.
const FIXED: usize = 10;

/// Why a record can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The bytes end within it.
    #[error("the file ends within the record")]
    Torn,
    /// They are not what was written.
    #[error("its length or its checksum is wrong")]
    Wrong,
}

/// Appends one record to `buffer`.
pub fn write_record(buffer: &mut Vec<u8>, at_us: i64, key: &str, payload: &[u8]) {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; HEAD]);
    buffer.extend_from_slice(&at_us.to_le_bytes());
    let key_length = u16::try_from(key.len()).expect("keys are bounded before they come here");
    buffer.extend_from_slice(&key_length.to_le_bytes());
    buffer.extend_from_slice(key.as_bytes());
    buffer.extend_from_slice(payload);
    let body = start + HEAD;
    let length = u32::try_from(buffer.len() - body).expect("payloads are bounded before they come here");
    let crc = crc32fast::hash(&buffer[body..]);
    buffer[start..start + 4].copy_from_slice(&length.to_le_bytes());
    buffer[start + 4..body].copy_from_slice(&crc.to_le_bytes());
}

/// The record at the start of `bytes`, as event `offset`, and its length on disk.
pub fn read_record(bytes: &[u8], offset: u64) -> Result<(Event, usize), RecordError> {
    let (head, rest) = bytes.split_first_chunk::<HEAD>().ok_or(RecordError::Torn)?;
    let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
    let crc = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    if !(FIXED..=FIXED + MAX_KEY + MAX_PAYLOAD).contains(&length) {
        return Err(RecordError::Wrong);
    }
    let body = rest.get(..length).ok_or(RecordError::Torn)?;
    if crc32fast::hash(body) != crc {
        return Err(RecordError::Wrong);
    }
    let (at_us, body) = body.split_first_chunk::<8>().ok_or(RecordError::Wrong)?;
    let (key_length, body) = body.split_first_chunk::<2>().ok_or(RecordError::Wrong)?;
    let key_length = usize::from(u16::from_le_bytes(*key_length));
    let (key, payload) = body.split_at_checked(key_length).ok_or(RecordError::Wrong)?;
    let key = std::str::from_utf8(key).map_err(|_| RecordError::Wrong)?.to_owned();
    let event = Event { offset, at_us: i64::from_le_bytes(*at_us), key, payload: Bytes::copy_from_slice(payload) };
    Ok((event, HEAD + length))
}

/// The length on disk of the record whose first bytes are `head`, unchecked but bounded.
pub fn record_length(head: &[u8]) -> Result<usize, RecordError> {
    let head: &[u8; HEAD] = head.first_chunk().ok_or(RecordError::Torn)?;
    let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
    if !(FIXED..=FIXED + MAX_KEY + MAX_PAYLOAD).contains(&length) {
        return Err(RecordError::Wrong);
    }
    Ok(HEAD + length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    proptest! {
        #[test]
        fn a_record_reads_back(at_us: i64, key in "[ -~]{0,40}", payload: Vec<u8>, offset: u64) {
            let mut buffer = Vec::new();
            write_record(&mut buffer, at_us, &key, &payload);
            prop_assert_eq!(record_length(&buffer), Ok(buffer.len()));
            let (event, length) = read_record(&buffer, offset).unwrap();
            prop_assert_eq!(length, buffer.len());
            prop_assert_eq!(event, Event { offset, at_us, key, payload: payload.into() });
        }

        #[test]
        fn a_changed_record_is_refused(payload: Vec<u8>, at in any::<usize>(), flip in 1u8..) {
            let mut buffer = Vec::new();
            write_record(&mut buffer, 7, "key", &payload);
            let at = at % buffer.len();
            buffer[at] ^= flip;
            prop_assert!(read_record(&buffer, 0).is_err());
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let _ = read_record(&bytes, 0);
        }
    }
}
