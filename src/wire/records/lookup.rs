//! Finding one record of a batch by time: what ListOffsets asks of a log.
//!
//! Records may be out of time order inside a batch, so they are walked from the first. Must never know the index that led
//! to the batch.

use bytes::Bytes;

use super::attributes::TimestampType;
use super::batch::BatchHeader;
use super::error::BatchError;
use super::inflate::Scratch;
use super::stream::RecordStream;
use super::walk::RecordFacts;
use crate::types::Offset;

/// Which record is looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// The first whose timestamp is this or newer, in milliseconds.
    AtOrAfter(i64),
    /// The first that has the batch's newest timestamp.
    Newest,
}

/// A record's place and time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordTime {
    /// Its offset.
    pub offset: Offset,
    /// Its timestamp, in milliseconds.
    pub timestamp: i64,
}

/// How far a lookup has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LookupProgress {
    /// The budget is used up; take another step.
    More,
    /// The record, if the batch has one.
    Done(Option<RecordTime>),
}

/// A batch being searched.
pub struct TimeLookup {
    header: BatchHeader,
    stream: RecordStream,
    wanted: Wanted,
    found: Option<RecordTime>,
}

impl TimeLookup {
    /// Starts on `batch`, exactly one batch; its checksum is not looked at.
    ///
    /// # Errors
    /// Those of [`BatchHeader::read`], and [`BatchError::UnsupportedCompression`].
    pub fn start(
        batch: &Bytes,
        wanted: Wanted,
        max_inflated: u64,
        scratch: &mut Scratch,
    ) -> Result<TimeLookup, BatchError> {
        let header = *BatchHeader::read(batch)?;
        Ok(TimeLookup {
            stream: RecordStream::open(batch, &header, max_inflated, scratch)?,
            header,
            wanted,
            found: None,
        })
    }

    /// Walks about `budget_bytes` of records; call again on [`LookupProgress::More`].
    ///
    /// # Errors
    /// Records that are damaged, missing, or inflate to more than allowed.
    pub fn step(
        &mut self,
        scratch: &mut Scratch,
        budget_bytes: usize,
    ) -> Result<LookupProgress, BatchError> {
        let (header, wanted, found) = (&self.header, self.wanted, &mut self.found);
        let ended = self.stream.step(scratch, budget_bytes.max(1), |record| {
            look_at(header, wanted, found, record);
            Ok(())
        })?;
        let settled = matches!(self.wanted, Wanted::AtOrAfter(_)) && self.found.is_some();
        Ok(match ended || settled {
            true => LookupProgress::Done(self.found),
            false => LookupProgress::More,
        })
    }

    /// Takes every step at once, for callers that have nobody waiting.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn run(&mut self, scratch: &mut Scratch) -> Result<Option<RecordTime>, BatchError> {
        loop {
            if let LookupProgress::Done(found) = self.step(scratch, usize::MAX)? {
                return Ok(found);
            }
        }
    }
}

fn look_at(
    header: &BatchHeader,
    wanted: Wanted,
    found: &mut Option<RecordTime>,
    record: RecordFacts,
) {
    let timestamp = match header.attributes().timestamp_type() {
        TimestampType::CreateTime => header.base_timestamp().wrapping_add(record.timestamp_delta),
        TimestampType::LogAppendTime => header.max_timestamp(),
    };
    let better = match (wanted, &*found) {
        (Wanted::AtOrAfter(wanted), None) => timestamp >= wanted,
        (Wanted::AtOrAfter(_), Some(_)) => false,
        (Wanted::Newest, None) => true,
        (Wanted::Newest, Some(newest)) => timestamp > newest.timestamp,
    };
    if better {
        let offset = header.offset_of(record.offset_delta);
        *found = Some(RecordTime { offset, timestamp });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::LeaderEpoch;
    use crate::types::TimestampMs;
    use crate::wire::records::stamp::{stamp_log_append_time, stamp_offset};
    use crate::wire::records::{BatchBuilder, Codec};

    fn batch(codec: Codec) -> Vec<u8> {
        let mut builder = BatchBuilder::new(codec);
        for timestamp in [30, 10, 50, 20, 50] {
            builder.append(timestamp, Some(b"key"), Some(&[1; 300]), &[]);
        }
        let mut batch = builder.build().to_vec();
        stamp_offset(&mut batch, Offset(1_000), LeaderEpoch(0));
        batch
    }

    fn find(batch: Vec<u8>, wanted: Wanted) -> Option<(i64, i64)> {
        let mut scratch = Scratch::default();
        let mut lookup = TimeLookup::start(&batch.into(), wanted, 1 << 20, &mut scratch).unwrap();
        let found = lookup.run(&mut scratch).unwrap()?;
        Some((found.offset.0, found.timestamp))
    }

    #[test]
    fn the_first_record_at_or_after_a_time_is_found_whatever_their_order() {
        for codec in Codec::ALL {
            for (wanted, found) in [
                (0, Some((1_000, 30))),
                (30, Some((1_000, 30))),
                (31, Some((1_002, 50))),
                (50, Some((1_002, 50))),
                (51, None),
            ] {
                assert_eq!(find(batch(codec), Wanted::AtOrAfter(wanted)), found);
            }
        }
    }

    #[test]
    fn the_newest_record_is_the_first_that_has_the_newest_time() {
        for codec in Codec::ALL {
            assert_eq!(find(batch(codec), Wanted::Newest), Some((1_002, 50)));
        }
    }

    #[test]
    fn with_append_time_every_record_has_the_batchs_time() {
        let mut stamped = batch(Codec::None);
        stamp_log_append_time(&mut stamped, TimestampMs(99));
        assert_eq!(
            find(stamped.clone(), Wanted::AtOrAfter(60)),
            Some((1_000, 99))
        );
        assert_eq!(find(stamped, Wanted::Newest), Some((1_000, 99)));
    }

    #[test]
    fn small_steps_find_the_same_record() {
        for codec in Codec::ALL {
            let mut scratch = Scratch::default();
            let batch = batch(codec).into();
            let mut lookup =
                TimeLookup::start(&batch, Wanted::Newest, 1 << 20, &mut scratch).unwrap();
            let found = loop {
                if let LookupProgress::Done(found) = lookup.step(&mut scratch, 1).unwrap() {
                    break found.unwrap();
                }
            };
            assert_eq!(found.offset, Offset(1_002), "{codec:?}");
        }
    }
}
