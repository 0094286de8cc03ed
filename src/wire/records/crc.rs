//! The two checksums of Kafka's record formats.
//!
//! Batches of format v2 use CRC-32C (Castagnoli); message sets v0 and v1 use CRC-32 (IEEE). They are not interchangeable.
//! Both run on the processor's carry-less multiplication. Must never know what the bytes mean.

/// CRC-32C of `bytes`, as v2 batches have it.
pub fn crc32c(bytes: &[u8]) -> u32 {
    crc_fast::crc32_iscsi(bytes)
}

/// CRC-32 of `bytes`, as messages v0 and v1 and gzip members have it.
pub fn crc32(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

/// CRC-32C over bytes that are looked at in pieces.
pub struct Crc32cPieces(crc_fast::Digest);

impl Crc32cPieces {
    /// Nothing seen yet.
    pub fn new() -> Crc32cPieces {
        Crc32cPieces(crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi))
    }

    /// Adds the next piece.
    pub fn add(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The checksum of all pieces.
    pub fn finish(&self) -> u32 {
        self.0.finalize() as u32
    }
}

impl Default for Crc32cPieces {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHECK_INPUT: &[u8] = b"123456789";

    #[test]
    fn checksums_match_the_published_check_values() {
        assert_eq!(crc32c(CHECK_INPUT), 0xe306_9283);
        assert_eq!(crc32(CHECK_INPUT), 0xcbf4_3926);
    }

    #[test]
    fn pieces_give_the_same_checksum_as_the_whole() {
        let bytes: Vec<u8> = (0..5_000u32).map(|i| (i * 7) as u8).collect();
        for cut in [0, 1, 15, 16, 17, 255, 256, 1_024, 4_999, 5_000] {
            let mut pieces = Crc32cPieces::new();
            pieces.add(&bytes[..cut]);
            pieces.add(&bytes[cut..]);
            assert_eq!(pieces.finish(), crc32c(&bytes), "cut at {cut}");
        }
    }
}
