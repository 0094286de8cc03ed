//! The codecs' names and numbers, and compressing.
//!
//! Must never know batches.

use std::io::Write;

/// How the records of a batch are compressed; the numbers are those of the attributes' bits 0 to 2.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub enum Codec {
    /// Not at all.
    #[default]
    None,
    /// RFC 1952.
    Gzip,
    /// Snappy blocks, bare or in the framing of the Java library.
    Snappy,
    /// LZ4 frames of independent blocks.
    Lz4,
    /// RFC 8878.
    Zstd,
}

impl Codec {
    /// Every codec, in the order of their numbers.
    pub const ALL: [Codec; 5] = [
        Codec::None,
        Codec::Gzip,
        Codec::Snappy,
        Codec::Lz4,
        Codec::Zstd,
    ];

    /// The codec with this number, if there is one.
    pub fn from_id(id: u8) -> Option<Codec> {
        Codec::ALL.get(usize::from(id)).copied()
    }

    /// The codec's number.
    pub fn id(self) -> u8 {
        self as u8
    }

    /// The name configuration and tools use for it.
    pub fn name(self) -> &'static str {
        match self {
            Codec::None => "none",
            Codec::Gzip => "gzip",
            Codec::Snappy => "snappy",
            Codec::Lz4 => "lz4",
            Codec::Zstd => "zstd",
        }
    }

    /// `input` compressed as Kafka's clients do it, behind `room` zeroed bytes.
    pub fn compress_behind(self, room: usize, input: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(room + input.len() / 2);
        out.resize(room, 0);
        match self {
            Codec::None => out.extend_from_slice(input),
            Codec::Gzip => compress_gzip(input, &mut out),
            Codec::Snappy => compress_snappy(input, &mut out),
            Codec::Lz4 => compress_lz4(input, &mut out),
            Codec::Zstd => compress_zstd(input, &mut out),
        }
        out
    }
}

/// The start of the Java library's framing of snappy: magic, version 1, compatible with version 1.
pub(super) const SNAPPY_JAVA_MAGIC: &[u8; 16] = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01";

/// Bytes the Java library puts into one snappy block.
const SNAPPY_BLOCK: usize = 32 * 1024;

fn compress_gzip(input: &[u8], out: &mut Vec<u8>) {
    let mut encoder = flate2::write::GzEncoder::new(out, flate2::Compression::default());
    write_all(&mut encoder, input);
    encoder.finish().expect("memory takes every write");
}

fn compress_snappy(input: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(SNAPPY_JAVA_MAGIC);
    let mut encoder = snap::raw::Encoder::new();
    for block in input.chunks(SNAPPY_BLOCK) {
        let at = out.len() + 4;
        out.resize(at + snap::raw::max_compress_len(block.len()), 0);
        let size = encoder
            .compress(block, &mut out[at..])
            .expect("the room is the announced maximum");
        out[at - 4..at].copy_from_slice(&(size as u32).to_be_bytes());
        out.truncate(at + size);
    }
}

fn compress_lz4(input: &[u8], out: &mut Vec<u8>) {
    // Kafka's readers refuse blocks that refer to earlier ones.
    let frame = lz4_flex::frame::FrameInfo::new()
        .block_size(lz4_flex::frame::BlockSize::Max64KB)
        .block_mode(lz4_flex::frame::BlockMode::Independent);
    let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(frame, out);
    write_all(&mut encoder, input);
    encoder.finish().expect("memory takes every write");
}

fn compress_zstd(input: &[u8], out: &mut Vec<u8>) {
    // In one go, so that the frame announces its size and readers take no more memory than that.
    let at = out.len();
    out.resize(at + zstd::zstd_safe::compress_bound(input.len()), 0);
    let level = zstd::DEFAULT_COMPRESSION_LEVEL;
    let size = zstd::bulk::compress_to_buffer(input, &mut out[at..], level)
        .expect("the room is the announced maximum");
    out.truncate(at + size);
}

fn write_all(encoder: &mut impl Write, input: &[u8]) {
    encoder.write_all(input).expect("memory takes every write");
}
