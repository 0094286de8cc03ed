//! The header of a record batch, format v2 (magic 2), read in place.
//!
//! ```text
//!  0  baseOffset            i64   ┐ not covered by the checksum: the log stamps these
//!  8  batchLength           i32   │ bytes that follow this field
//! 12  partitionLeaderEpoch  i32   │
//! 16  magic                 i8    ┘ 2
//! 17  crc                   u32     CRC-32C of everything that follows
//! 21  attributes            i16     bits 0-2 codec, 3 timestamp type, 4 transactional, 5 control, 6 delete horizon
//! 23  lastOffsetDelta       i32
//! 27  baseTimestamp         i64     with bit 6 set: the delete horizon
//! 35  maxTimestamp          i64
//! 43  producerId            i64     -1: none
//! 51  producerEpoch         i16
//! 53  baseSequence          i32
//! 57  recordCount           i32
//! 61  records, compressed together when bits 0-2 say so
//! ```
//!
//! All integers are big-endian. Source: the Apache Kafka documentation, "Record Batch", and KIP-98. Must never know where
//! the bytes come from.

use zerocopy::byteorder::big_endian::{I16, I32, I64, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::attributes::{Attributes, TimestampType};
use super::codec::Codec;
use super::crc::crc32c;
use super::error::{BatchError, Corruption};
use crate::types::{LeaderEpoch, Offset};

/// Bytes of a v2 header; a batch without records has no more.
pub const HEADER_BYTES: usize = 61;
/// Bytes up to the end of `batchLength`, which does not count them. The same in every format.
pub const LENGTH_END: usize = 12;
/// Where the magic byte stands, in every format.
pub const MAGIC_AT: usize = 16;
/// The first byte the checksum covers.
pub const CRC_COVERS_FROM: usize = 21;
/// The magic of this format.
pub const MAGIC_V2: i8 = 2;
/// "No timestamp", in headers and records.
pub const NO_TIMESTAMP: i64 = -1;
/// "No producer": the batch is neither idempotent nor transactional.
pub const NO_PRODUCER_ID: i64 = -1;

/// The first 61 bytes of a v2 batch, wherever they lie.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
pub struct BatchHeader {
    base_offset: I64,
    batch_length: I32,
    leader_epoch: I32,
    magic: i8,
    crc: U32,
    attributes: I16,
    last_offset_delta: I32,
    base_timestamp: I64,
    max_timestamp: I64,
    producer_id: I64,
    producer_epoch: I16,
    base_sequence: I32,
    record_count: I32,
}

const _: () = assert!(size_of::<BatchHeader>() == HEADER_BYTES);

/// What a header is made of; the length and the checksum follow from the records and are filled in last.
pub(super) struct HeaderFields {
    pub base_offset: Offset,
    pub leader_epoch: LeaderEpoch,
    pub attributes: Attributes,
    pub last_offset_delta: i32,
    pub base_timestamp: i64,
    pub max_timestamp: i64,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    pub record_count: i32,
}

impl BatchHeader {
    /// The header at the start of `bytes`. The records behind it need not be there: a log scan reads headers only.
    ///
    /// # Errors
    /// [`BatchError::Truncated`] with fewer than 61 bytes, [`BatchError::UnsupportedMagic`] for message sets (0 and 1),
    /// [`BatchError::Corrupt`] for any other magic or a length that cannot hold the header.
    pub fn read(bytes: &[u8]) -> Result<&BatchHeader, BatchError> {
        let (header, _) =
            BatchHeader::ref_from_prefix(bytes).map_err(|_| BatchError::Truncated {
                have: bytes.len(),
                need: HEADER_BYTES,
            })?;
        header.check_shape()?;
        Ok(header)
    }

    /// The header at the start of `bytes`, after checking that the whole batch is there and its checksum is right.
    ///
    /// # Errors
    /// As [`read`](Self::read), [`BatchError::Truncated`] when the batch goes on behind `bytes`, and
    /// [`BatchError::Corrupt`] when the checksum differs.
    pub fn read_checked(bytes: &[u8]) -> Result<&BatchHeader, BatchError> {
        let header = BatchHeader::read(bytes)?;
        let need = header.total_size();
        let batch = bytes.get(..need).ok_or(BatchError::Truncated {
            have: bytes.len(),
            need,
        })?;
        header.check_crc(crc32c(&batch[CRC_COVERS_FROM..]))?;
        Ok(header)
    }

    /// The header at the start of `batch`, to be changed in place.
    pub(super) fn of_mut(batch: &mut [u8]) -> &mut BatchHeader {
        let (header, _) = BatchHeader::mut_from_prefix(batch).expect("a batch has a header");
        header
    }

    fn check_shape(&self) -> Result<(), BatchError> {
        match self.magic {
            MAGIC_V2 => {}
            magic @ (0 | 1) => return Err(BatchError::UnsupportedMagic { magic }),
            magic => return Err(Corruption::Magic { magic }.into()),
        }
        let declared = self.batch_length.get();
        if declared < (HEADER_BYTES - LENGTH_END) as i32 {
            return Err(Corruption::Length { declared }.into());
        }
        Ok(())
    }

    pub(super) fn check_crc(&self, computed: u32) -> Result<(), BatchError> {
        let stored = self.crc.get();
        if stored != computed {
            return Err(Corruption::Crc { stored, computed }.into());
        }
        Ok(())
    }

    /// The offset of the batch's first record, before compaction may have dropped it.
    pub fn base_offset(&self) -> Offset {
        Offset(self.base_offset.get())
    }

    /// Bytes after the length field: the header's rest and the records.
    pub fn batch_length(&self) -> i32 {
        self.batch_length.get()
    }

    /// Bytes of the whole batch, header included; at least [`HEADER_BYTES`] once [`read`](Self::read).
    pub fn total_size(&self) -> usize {
        LENGTH_END + usize::try_from(self.batch_length.get()).unwrap_or(0)
    }

    /// The leader epoch the batch was appended under; -1 in a producer's batch.
    pub fn leader_epoch(&self) -> LeaderEpoch {
        LeaderEpoch(self.leader_epoch.get())
    }

    /// The format: 2.
    pub fn magic(&self) -> i8 {
        self.magic
    }

    /// The CRC-32C the batch carries.
    pub fn crc(&self) -> u32 {
        self.crc.get()
    }

    /// Codec, timestamp type and flags.
    pub fn attributes(&self) -> Attributes {
        Attributes(self.attributes.get())
    }

    /// The last record's offset less the base offset; compaction keeps it.
    pub fn last_offset_delta(&self) -> i32 {
        self.last_offset_delta.get()
    }

    /// The offset of the batch's last record.
    pub fn last_offset(&self) -> Offset {
        self.offset_of(self.last_offset_delta.get())
    }

    /// The offset of the record that many behind the first.
    pub fn offset_of(&self, offset_delta: i32) -> Offset {
        let base = self.base_offset.get();
        Offset(base.saturating_add(i64::from(offset_delta)))
    }

    /// The offset that follows the batch.
    pub fn next_offset(&self) -> Offset {
        Offset(self.last_offset().0.saturating_add(1))
    }

    /// Milliseconds records' timestamps are relative to.
    pub fn base_timestamp(&self) -> i64 {
        self.base_timestamp.get()
    }

    /// The newest timestamp inside, in milliseconds; -1 for none.
    pub fn max_timestamp(&self) -> i64 {
        self.max_timestamp.get()
    }

    /// The idempotent producer's id, or -1.
    pub fn producer_id(&self) -> i64 {
        self.producer_id.get()
    }

    /// The producer's epoch, or -1.
    pub fn producer_epoch(&self) -> i16 {
        self.producer_epoch.get()
    }

    /// The sequence number of the first record, or -1.
    pub fn base_sequence(&self) -> i32 {
        self.base_sequence.get()
    }

    /// The sequence number of the last record, or -1.
    pub fn last_sequence(&self) -> i32 {
        match self.base_sequence.get() {
            base if base < 0 => base,
            base => advance_sequence(base, self.last_offset_delta.get()),
        }
    }

    /// Records inside, as declared.
    pub fn record_count(&self) -> i32 {
        self.record_count.get()
    }

    /// A header whose length and checksum are still to be filled in with [`seal`](Self::seal).
    pub(super) fn new(fields: &HeaderFields) -> BatchHeader {
        BatchHeader {
            base_offset: fields.base_offset.0.into(),
            batch_length: 0.into(),
            leader_epoch: fields.leader_epoch.0.into(),
            magic: MAGIC_V2,
            crc: 0.into(),
            attributes: fields.attributes.0.into(),
            last_offset_delta: fields.last_offset_delta.into(),
            base_timestamp: fields.base_timestamp.into(),
            max_timestamp: fields.max_timestamp.into(),
            producer_id: fields.producer_id.into(),
            producer_epoch: fields.producer_epoch.into(),
            base_sequence: fields.base_sequence.into(),
            record_count: fields.record_count.into(),
        }
    }

    /// Fills in the length and checksum of a finished batch; `batch` is exactly that batch.
    pub(super) fn seal(batch: &mut [u8]) {
        let length = i32::try_from(batch.len() - LENGTH_END).expect("a batch is below 2 GiB");
        BatchHeader::of_mut(batch).batch_length = length.into();
        BatchHeader::reseal(batch);
    }

    /// Makes the checksum fit again after a change behind it; `batch` is exactly that batch.
    pub(super) fn reseal(batch: &mut [u8]) {
        let crc = crc32c(&batch[CRC_COVERS_FROM..]);
        BatchHeader::of_mut(batch).crc = crc.into();
    }

    /// The same header with another codec's number; the checksum no longer fits.
    pub(super) fn in_codec(mut self, codec: Codec) -> BatchHeader {
        self.attributes = self.attributes().with_codec(codec).0.into();
        self
    }

    pub(super) fn set_base_offset(&mut self, offset: Offset) {
        self.base_offset = offset.0.into();
    }

    pub(super) fn set_leader_epoch(&mut self, epoch: LeaderEpoch) {
        self.leader_epoch = epoch.0.into();
    }

    pub(super) fn set_timestamp(&mut self, timestamp_type: TimestampType, max_timestamp: i64) {
        self.attributes = self
            .attributes()
            .with_timestamp_type(timestamp_type)
            .0
            .into();
        self.max_timestamp = max_timestamp.into();
    }
}

/// The sequence number `records` after `sequence`: after `i32::MAX` comes 0.
pub fn advance_sequence(sequence: i32, records: i32) -> i32 {
    const NUMBERS: i64 = 1 << 31;
    ((i64::from(sequence) + i64::from(records)).rem_euclid(NUMBERS)) as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::records::{BatchBuilder, Codec};

    fn batch() -> Vec<u8> {
        let mut builder = BatchBuilder::new(Codec::None);
        builder.append(1_000, Some(b"key"), Some(b"value"), &[]);
        builder.append(1_005, None, Some(b"other"), &[]);
        builder.build().to_vec()
    }

    #[test]
    fn header_fields_stand_where_the_format_puts_them() {
        let mut bytes = [0u8; HEADER_BYTES];
        bytes[0..8].copy_from_slice(&70i64.to_be_bytes());
        bytes[8..12].copy_from_slice(&49i32.to_be_bytes());
        bytes[12..16].copy_from_slice(&3i32.to_be_bytes());
        bytes[16] = 2;
        bytes[17..21].copy_from_slice(&0xdead_beef_u32.to_be_bytes());
        bytes[21..23].copy_from_slice(&0b0111_1011_i16.to_be_bytes());
        bytes[23..27].copy_from_slice(&9i32.to_be_bytes());
        bytes[27..35].copy_from_slice(&1_000i64.to_be_bytes());
        bytes[35..43].copy_from_slice(&2_000i64.to_be_bytes());
        bytes[43..51].copy_from_slice(&41i64.to_be_bytes());
        bytes[51..53].copy_from_slice(&5i16.to_be_bytes());
        bytes[53..57].copy_from_slice(&(i32::MAX - 3).to_be_bytes());
        bytes[57..61].copy_from_slice(&10i32.to_be_bytes());
        let header = BatchHeader::read(&bytes).unwrap();
        assert_eq!(header.base_offset(), Offset(70));
        assert_eq!(header.total_size(), 61);
        assert_eq!(header.leader_epoch(), LeaderEpoch(3));
        assert_eq!(header.crc(), 0xdead_beef);
        assert_eq!(header.attributes().codec().unwrap(), Codec::Lz4);
        assert_eq!(
            header.attributes().timestamp_type(),
            TimestampType::LogAppendTime
        );
        assert!(header.attributes().is_transactional());
        assert!(header.attributes().is_control());
        assert!(header.attributes().has_delete_horizon());
        assert_eq!(header.next_offset(), Offset(80));
        assert_eq!(
            (header.base_timestamp(), header.max_timestamp()),
            (1_000, 2_000)
        );
        assert_eq!((header.producer_id(), header.producer_epoch()), (41, 5));
        assert_eq!(
            (header.base_sequence(), header.last_sequence()),
            (i32::MAX - 3, 5)
        );
        assert_eq!(header.record_count(), 10);
    }

    #[test]
    fn every_cut_of_a_batch_is_called_truncated() {
        let whole = batch();
        assert!(BatchHeader::read_checked(&whole).is_ok());
        for cut in 0..whole.len() {
            let error = BatchHeader::read_checked(&whole[..cut]).err().unwrap();
            assert!(
                matches!(error, BatchError::Truncated { .. }),
                "{cut}: {error}"
            );
        }
    }

    #[test]
    fn every_flipped_bit_behind_the_checksum_is_found() {
        let whole = batch();
        for bit in CRC_COVERS_FROM * 8..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(
                BatchHeader::read_checked(&flipped),
                Err(BatchError::Corrupt {
                    reason: Corruption::Crc { .. }
                })
            ));
        }
    }

    #[test]
    fn a_length_that_cannot_hold_the_header_is_corrupt() {
        for declared in [i32::MIN, -1, 0, 48] {
            let mut bytes = batch();
            bytes[8..12].copy_from_slice(&declared.to_be_bytes());
            assert_eq!(
                BatchHeader::read(&bytes).err(),
                Some(Corruption::Length { declared }.into())
            );
        }
    }

    #[test]
    fn older_formats_and_unknown_ones_are_told_apart() {
        let mut bytes = batch();
        bytes[MAGIC_AT] = 1;
        assert_eq!(
            BatchHeader::read(&bytes).err(),
            Some(BatchError::UnsupportedMagic { magic: 1 })
        );
        bytes[MAGIC_AT] = 3;
        assert_eq!(
            BatchHeader::read(&bytes).err(),
            Some(Corruption::Magic { magic: 3 }.into())
        );
    }

    #[test]
    fn offsets_at_the_end_of_the_range_do_not_overflow() {
        let mut bytes = batch();
        bytes[0..8].copy_from_slice(&i64::MAX.to_be_bytes());
        assert_eq!(
            BatchHeader::read(&bytes).unwrap().next_offset(),
            Offset(i64::MAX)
        );
    }

    #[test]
    fn sequence_numbers_wrap_to_zero() {
        assert_eq!(advance_sequence(i32::MAX, 1), 0);
        assert_eq!(advance_sequence(i32::MAX - 1, 3), 1);
        assert_eq!(advance_sequence(7, 0), 7);
    }
}
