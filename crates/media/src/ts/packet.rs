//! Transport packets of 188 bytes: tables, PES packets, continuity counters and stuffing.

use std::collections::BTreeMap;

const PACKET: usize = 188;
const BODY: usize = PACKET - 4;

/// One PES packet to send. Times in ticks of 90 kHz.
pub struct Pes<'a> {
    pub pid: u16,
    pub stream_id: u8,
    pub pts: u64,
    pub dts: u64,
    /// The programme clock, where this stream carries it.
    pub clock: Option<u64>,
    pub random_access: bool,
    pub data: &'a [u8],
}

/// Packets in the making; counters start at nought.
pub struct Packets {
    bytes: Vec<u8>,
    /// Packets with a payload so far, by stream.
    sent: BTreeMap<u16, usize>,
}

impl Packets {
    pub fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), sent: BTreeMap::new() }
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// A table's section (at most 183 bytes) in a packet of its own.
    pub fn section(&mut self, pid: u16, section: &[u8]) {
        let start = self.bytes.len();
        self.header(pid, true, false);
        self.bytes.push(0);
        self.bytes.extend_from_slice(section);
        self.bytes.resize(start + PACKET, 0xff);
    }

    /// A PES packet in as few packets as it takes; the stream's `last` one of a segment is spread over more of them, so
    /// that the stream's counter has come round to nought at the segment's end.
    pub fn pes(&mut self, pes: &Pes, last: bool) {
        let first_field = adaptation(pes);
        let header = pes_header(pes);
        let total = header.len() + pes.data.len();
        let room_first = BODY - first_field.len();
        let needed = 1 + total.saturating_sub(room_first).div_ceil(BODY);
        let mut count = needed;
        if last {
            let sent = self.sent.get(&pes.pid).copied().unwrap_or(0);
            // Every packet needs a byte to carry.
            let spread = needed + (16 - (sent + needed) % 16) % 16;
            if spread <= total {
                count = spread;
            }
        }
        let payload = [header.as_slice(), pes.data];
        let mut at = 0;
        for n in 0..count {
            let field: &[u8] = if n == 0 { &first_field } else { &[] };
            let left_packets = count - n;
            let take = (BODY - field.len()).min(total - at - (left_packets - 1));
            self.packet(pes.pid, n == 0, field, payload, at..at + take);
            at += take;
        }
    }

    fn packet(&mut self, pid: u16, first: bool, field: &[u8], payload: [&[u8]; 2], range: std::ops::Range<usize>) {
        let start = self.bytes.len();
        let stuffing = BODY - field.len() - range.len();
        self.header(pid, first, !field.is_empty() || stuffing > 0);
        let at = self.bytes.len();
        self.bytes.extend_from_slice(field);
        if stuffing > 0 {
            // A field's first byte is its length; its second, where there is one, its flags.
            if field.is_empty() {
                self.bytes.push(0);
                if stuffing > 1 {
                    self.bytes.push(0);
                }
            }
            self.bytes.resize(at + field.len() + stuffing, 0xff);
            self.bytes[at] = (field.len() + stuffing - 1) as u8;
        }
        let [head, body] = payload;
        let split = head.len();
        self.bytes.extend_from_slice(&head[range.start.min(split)..range.end.min(split)]);
        self.bytes.extend_from_slice(&body[range.start.saturating_sub(split)..range.end.saturating_sub(split)]);
        debug_assert_eq!(self.bytes.len(), start + PACKET);
    }

    fn header(&mut self, pid: u16, first: bool, with_field: bool) {
        let sent = self.sent.entry(pid).or_insert(0);
        let counter = (*sent % 16) as u8;
        *sent += 1;
        let control = if with_field { 0x30 } else { 0x10 };
        let start = if first { 0x40 } else { 0 };
        self.bytes.extend_from_slice(&[0x47, start | (pid >> 8) as u8, pid as u8, control | counter]);
    }
}

/// The adaptation field of a PES packet's first packet, with its length; empty where nothing is to be said.
fn adaptation(pes: &Pes) -> Vec<u8> {
    if pes.clock.is_none() && !pes.random_access {
        return Vec::new();
    }
    let mut flags = if pes.random_access { 0x40 } else { 0 };
    let mut field = vec![0, 0];
    if let Some(clock) = pes.clock {
        flags |= 0x10;
        let base = clock & 0x1_ffff_ffff;
        // 33 bits of 90 kHz, 6 reserved, 9 of 27 MHz (always nought here).
        let bits = base << 15 | 0x3f << 9;
        field.extend_from_slice(&bits.to_be_bytes()[2..]);
    }
    field[0] = (field.len() - 1) as u8;
    field[1] = flags;
    field
}

fn pes_header(pes: &Pes) -> Vec<u8> {
    let both = pes.pts != pes.dts;
    let times = if both { 10 } else { 5 };
    let length = pes.data.len() + 3 + times;
    // Pictures may be of any length, which 0 says; sound must say it.
    let length = if pes.stream_id == 0xe0 { 0 } else { u16::try_from(length).unwrap_or(0) };
    let mut out = vec![0, 0, 1, pes.stream_id];
    out.extend_from_slice(&length.to_be_bytes());
    // The data starts at a frame's start.
    out.extend_from_slice(&[0x84, if both { 0xc0 } else { 0x80 }, times as u8]);
    out.extend_from_slice(&time(if both { 3 } else { 2 }, pes.pts));
    if both {
        out.extend_from_slice(&time(1, pes.dts));
    }
    out
}

fn time(prefix: u8, ticks: u64) -> [u8; 5] {
    let bits = |shift: u32, mask: u64| (ticks >> shift & mask) as u8;
    [prefix << 4 | bits(30, 7) << 1 | 1, bits(22, 0xff), bits(15, 0x7f) << 1 | 1, bits(7, 0xff), bits(0, 0x7f) << 1 | 1]
}

/// The programme association table: one programme, whose map is at `map_pid`.
pub fn program_association(map_pid: u16) -> Vec<u8> {
    table(0, &[0, 1, 0xe0 | (map_pid >> 8) as u8, map_pid as u8])
}

/// The programme map: the stream that carries the clock, and each stream's type and id.
pub fn program_map(clock_pid: u16, streams: &[(u8, u16)]) -> Vec<u8> {
    let mut body = vec![0xe0 | (clock_pid >> 8) as u8, clock_pid as u8, 0xf0, 0];
    for &(kind, pid) in streams {
        body.extend_from_slice(&[kind, 0xe0 | (pid >> 8) as u8, pid as u8, 0xf0, 0]);
    }
    table(2, &body)
}

fn table(id: u8, body: &[u8]) -> Vec<u8> {
    let length = body.len() + 9;
    let mut out = vec![id, 0xb0 | (length >> 8) as u8, length as u8, 0, 1, 0xc1, 0, 0];
    out.extend_from_slice(body);
    let crc = crc32(&out);
    out.extend_from_slice(&crc.to_be_bytes());
    out
}

/// CRC-32/MPEG-2: not reflected, so not the one of zip files.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in bytes {
        crc ^= u32::from(byte) << 24;
        for _ in 0..8 {
            crc = if crc & 0x8000_0000 == 0 { crc << 1 } else { crc << 1 ^ 0x04c1_1db7 };
        }
    }
    crc
}
