//! What the log writes into a batch it has copied: offset, leader epoch, append time.
//!
//! Offset and leader epoch lie before the checksum and cost nothing; a changed timestamp means a new checksum. Must never
//! know where the batch is kept.

use super::attributes::TimestampType;
use super::batch::BatchHeader;
use crate::types::{LeaderEpoch, Offset, TimestampMs};

/// Gives the batch its place in the log. The checksum stays right: it does not cover these fields.
///
/// # Panics
/// When `batch` is shorter than a header: what is stamped has been validated.
pub fn stamp_offset(batch: &mut [u8], base_offset: Offset, leader_epoch: LeaderEpoch) {
    let header = BatchHeader::of_mut(batch);
    header.set_base_offset(base_offset);
    header.set_leader_epoch(leader_epoch);
}

/// Makes `now` the time of every record and renews the checksum. `batch` is exactly one batch.
///
/// # Panics
/// When `batch` is shorter than a header: what is stamped has been validated.
pub fn stamp_log_append_time(batch: &mut [u8], now: TimestampMs) {
    restamp(batch, TimestampType::LogAppendTime, now.0);
}

/// Sets timestamp type and newest timestamp and renews the checksum. `batch` is exactly one batch.
pub(super) fn restamp(batch: &mut [u8], timestamp_type: TimestampType, max_timestamp: i64) {
    BatchHeader::of_mut(batch).set_timestamp(timestamp_type, max_timestamp);
    BatchHeader::reseal(batch);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::records::{BatchBuilder, Codec};

    fn batch() -> Vec<u8> {
        let mut builder = BatchBuilder::new(Codec::None);
        builder.append(1_000, Some(b"key"), Some(b"value"), &[]);
        builder.build().to_vec()
    }

    #[test]
    fn stamping_the_offset_leaves_the_rest_and_its_checksum_alone() {
        let before = batch();
        let mut after = before.clone();
        stamp_offset(&mut after, Offset(1 << 40), LeaderEpoch(7));
        let header = BatchHeader::read_checked(&after).unwrap();
        assert_eq!(header.base_offset(), Offset(1 << 40));
        assert_eq!(header.leader_epoch(), LeaderEpoch(7));
        assert_eq!(after[8..12], before[8..12]);
        assert_eq!(after[16..], before[16..]);
    }

    #[test]
    fn stamping_the_append_time_renews_the_checksum() {
        let mut stamped = batch();
        stamp_log_append_time(&mut stamped, TimestampMs(1_234_567));
        let header = BatchHeader::read_checked(&stamped).unwrap();
        assert_eq!(header.max_timestamp(), 1_234_567);
        assert_eq!(
            header.attributes().timestamp_type(),
            TimestampType::LogAppendTime
        );
        assert_eq!(header.base_timestamp(), 1_000);
    }
}
