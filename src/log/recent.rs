//! Where the newest batches of a log are, so that readers at its end need no index and touch no file.

use std::collections::VecDeque;

use crate::types::Offset;

/// How many batches are kept in mind.
const KEPT: usize = 64;

/// A batch's place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct RecentBatch {
    /// Its base offset.
    pub(super) base_offset: Offset,
    /// The offset after its last.
    pub(super) next_offset: Offset,
    /// Base offset of its segment.
    pub(super) segment: Offset,
    /// Where it starts in the segment.
    pub(super) position: u64,
    /// Where it ends.
    pub(super) end: u64,
}

/// The newest batches, oldest first.
#[derive(Debug, Default)]
pub(super) struct RecentBatches {
    batches: VecDeque<RecentBatch>,
}

impl RecentBatches {
    /// Adds the batch at the log's end.
    pub(super) fn push(&mut self, batch: RecentBatch) {
        if self.batches.len() == KEPT {
            self.batches.pop_front();
        }
        self.batches.push_back(batch);
    }

    /// Forgets batches that begin at or after `end`.
    pub(super) fn truncate_from(&mut self, end: Offset) {
        while self
            .batches
            .back()
            .is_some_and(|batch| batch.base_offset >= end)
        {
            self.batches.pop_back();
        }
    }

    /// Forgets batches that begin before `start`: their places have changed.
    pub(super) fn forget_before(&mut self, start: Offset) {
        while self
            .batches
            .front()
            .is_some_and(|batch| batch.base_offset < start)
        {
            self.batches.pop_front();
        }
    }

    /// The batch that holds `offset`.
    pub(super) fn find(&self, offset: Offset) -> Option<RecentBatch> {
        let after = self
            .batches
            .partition_point(|batch| batch.base_offset <= offset);
        let batch = self.batches[after.checked_sub(1)?];
        (offset < batch.next_offset).then_some(batch)
    }

    /// The last end of a batch at or before `position` in a segment, if that can be told from what is in mind. `start` is
    /// the start of a batch of that segment, and the answer if the batch there is longer.
    pub(super) fn last_end(&self, segment: Offset, start: u64, position: u64) -> Option<u64> {
        let after = self
            .batches
            .partition_point(|batch| (batch.segment, batch.end) <= (segment, position));
        let next = self
            .batches
            .get(after)
            .filter(|batch| batch.segment == segment)?;
        // The first batch past `position` begins where the answer ends, unless it is the one that was to be read first.
        (next.position <= position).then_some(next.position.max(start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Batches of two records and 100 bytes, up to offset 800; those from 760 on in a second segment.
    fn four_hundred() -> RecentBatches {
        let mut recent = RecentBatches::default();
        for n in 0..400_i64 {
            let (segment, at) = if n < 380 { (0, n) } else { (760, n - 380) };
            recent.push(RecentBatch {
                base_offset: Offset(2 * n),
                next_offset: Offset(2 * n + 2),
                segment: Offset(segment),
                position: at as u64 * 100,
                end: at as u64 * 100 + 100,
            });
        }
        recent
    }

    #[test]
    fn an_offset_is_found_in_the_batch_that_holds_it() {
        let recent = four_hundred();
        assert_eq!(recent.find(Offset(799)).unwrap().base_offset, Offset(798));
        assert_eq!(recent.find(Offset(761)).unwrap().position, 0);
        assert_eq!(recent.find(Offset(800)), None);
        assert_eq!(recent.find(Offset(671)), None, "forgotten");
        assert_eq!(recent.find(Offset(672)).unwrap().base_offset, Offset(672));
    }

    #[test]
    fn the_last_end_before_a_position_stays_in_its_segment() {
        let recent = four_hundred();
        assert_eq!(recent.last_end(Offset(760), 0, 450), Some(400));
        assert_eq!(recent.last_end(Offset(760), 0, 400), Some(400));
        assert_eq!(
            recent.last_end(Offset(760), 300, 350),
            Some(300),
            "no whole batch fits"
        );
        assert_eq!(
            recent.last_end(Offset(760), 0, 20_000),
            None,
            "past what is known"
        );
        assert_eq!(
            recent.last_end(Offset(0), 0, 5_000),
            None,
            "before what is known"
        );
        assert_eq!(recent.last_end(Offset(0), 34_000, 36_050), Some(36_000));
    }

    #[test]
    fn batches_whose_places_changed_are_forgotten() {
        let mut recent = four_hundred();
        recent.forget_before(Offset(760));
        assert_eq!(recent.find(Offset(758)), None);
        assert_eq!(recent.find(Offset(760)).unwrap().position, 0);
        assert_eq!(recent.last_end(Offset(0), 34_000, 36_050), None);
    }

    #[test]
    fn what_was_taken_back_is_forgotten() {
        let mut recent = four_hundred();
        recent.truncate_from(Offset(780));
        assert_eq!(recent.find(Offset(780)), None);
        assert_eq!(recent.find(Offset(779)).unwrap().base_offset, Offset(778));
    }
}
