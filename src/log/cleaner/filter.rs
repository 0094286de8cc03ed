//! Which records stay, and which batches stay even without one. Pure: a map, a header, a record.
//!
//! The rules are those of Kafka's `Cleaner.cleanInto`:
//!
//! | record, or batch | stays |
//! |---|---|
//! | past what the map covers | always |
//! | without a key | never |
//! | older than the newest of its key | never |
//! | newest of its key, with a value | always |
//! | newest of its key, a tombstone | until the delete horizon of its batch, which the first compaction sets |
//! | batch with a producer's last sequence number | at least its header |
//! | last batch of what can be compacted | at least its header: the offset where it ends is not lost |
//! | of an aborted transaction | never; and it replaces no other |
//! | marker of a transaction of which a batch is left | always |
//! | any other marker | until the delete horizon of its batch, which the first compaction that finds it so sets |
//!
//! Which transactions were aborted, and of which a batch is left, is known to `transactions`.

use std::collections::HashMap;

use super::offset_map::OffsetMap;
use crate::types::Offset;
use crate::wire::records::{BatchHeader, Record};

/// The last record of a producer that is still remembered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::log) struct LastRecord {
    /// Its newest batch's last offset; none if all that is left of it is a marker.
    pub(in crate::log) last_offset: Option<Offset>,
    /// Its newest epoch.
    pub(in crate::log) epoch: i16,
}

/// What decides about records in one run.
pub(super) struct Filter<'a> {
    /// The newest offset of each key, up to where the map got.
    pub(super) map: &'a OffsetMap,
    /// Producers that are remembered, by id.
    pub(super) producers: &'a HashMap<i64, LastRecord>,
    /// The first offset that may not be compacted yet.
    pub(super) first_uncleanable: Offset,
    /// The time, in milliseconds.
    pub(super) now_ms: i64,
}

impl Filter<'_> {
    /// Whether a batch is copied without a look at its records.
    pub(super) fn keeps_batch_whole(&self, header: &BatchHeader) -> bool {
        let latest = self.map.latest_offset();
        latest.is_none_or(|latest| header.base_offset() > latest)
    }

    /// Whether a record of a batch stays.
    pub(super) fn keeps_record(&self, header: &BatchHeader, record: &Record<'_>) -> bool {
        if self.map.latest_offset() < Some(record.offset) {
            return true;
        }
        let Some(key) = record.key else { return false };
        let is_newest = self
            .map
            .get(key)
            .is_none_or(|newest| record.offset >= newest);
        is_newest && (record.value.is_some() || !self.is_past_horizon(header))
    }

    /// Whether the header of a batch stays if no record does.
    pub(super) fn keeps_header(&self, header: &BatchHeader) -> bool {
        header.next_offset() == self.first_uncleanable || self.has_last_sequence(header)
    }

    /// Whether tombstones and markers of the batch may go.
    pub(super) fn is_past_horizon(&self, header: &BatchHeader) -> bool {
        header.attributes().has_delete_horizon() && self.now_ms >= header.base_timestamp()
    }

    fn has_last_sequence(&self, header: &BatchHeader) -> bool {
        let last = self.producers.get(&header.producer_id());
        last.is_some_and(|last| match last.last_offset {
            Some(offset) => header.last_offset() == offset,
            None => header.attributes().is_control() && header.producer_epoch() == last.epoch,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::AbortedTransaction;
    use crate::log::cleaner::rewrite::{Fate, Rewriter};
    use crate::log::cleaner::transactions::CleanedTransactions;
    use crate::types::LeaderEpoch;
    use crate::wire::records::{Batch, BatchBuilder, Codec, EndTransaction, Scratch};

    /// Batches of two records from offset 0 on: key and value, a tombstone without.
    fn at(offset: i64, records: &[(Option<&str>, Option<&str>)], producer: i64) -> Batch {
        let mut builder = BatchBuilder::new(Codec::None)
            .producer(producer, 0, if producer < 0 { -1 } else { 0 })
            .placed(Offset(offset), LeaderEpoch(0));
        for (key, value) in records {
            builder.append(10, key.map(str::as_bytes), value.map(str::as_bytes), &[]);
        }
        Batch::new(builder.build()).unwrap()
    }

    fn map_of(keys: &[(&str, i64)], covers: i64) -> OffsetMap {
        let mut map = OffsetMap::new(1 << 16, 0.9, 100);
        for (key, offset) in keys {
            assert!(map.put(key.as_bytes(), Offset(*offset)));
        }
        map.covers_up_to(Offset(covers));
        map
    }

    /// What is left, as (offset, key, value), and the header.
    fn left(batch: &Batch, map: &OffsetMap, now_ms: i64) -> Option<(Vec<i64>, Batch)> {
        left_beside(None, batch, map, now_ms)
    }

    /// The same where a transaction was aborted.
    fn left_beside(
        aborted: Option<AbortedTransaction>,
        batch: &Batch,
        map: &OffsetMap,
        now_ms: i64,
    ) -> Option<(Vec<i64>, Batch)> {
        let producers = HashMap::from([(
            5,
            LastRecord {
                last_offset: Some(Offset(1)),
                epoch: 0,
            },
        )]);
        let filter = Filter {
            map,
            producers: &producers,
            first_uncleanable: Offset(100),
            now_ms,
        };
        let mut rewriter = Rewriter::new(1_000);
        let mut transactions = CleanedTransactions::default();
        transactions.expect(aborted);
        let bytes = match rewriter.decide(batch, &filter, &mut transactions).unwrap() {
            Fate::Copy => batch.bytes().clone(),
            Fate::Replace(bytes) => bytes.into(),
            Fate::Drop => return None,
        };
        let batch = Batch::new(bytes).unwrap();
        let records = batch.records(1 << 20, &mut Scratch::default()).unwrap();
        let offsets = records
            .iter()
            .map(|record| record.unwrap().offset.0)
            .collect();
        Some((offsets, batch))
    }

    #[test]
    fn only_the_newest_record_of_a_key_stays() {
        let map = map_of(&[("a", 8), ("b", 1)], 20);
        let batch = at(0, &[(Some("a"), Some("1")), (Some("b"), Some("2"))], -1);
        assert_eq!(left(&batch, &map, 0).unwrap().0, [1]);
        let batch = at(8, &[(Some("a"), Some("1")), (Some("a"), Some("2"))], -1);
        assert_eq!(left(&batch, &map, 0).unwrap().0, [8, 9]);
        let batch = at(2, &[(Some("a"), Some("1"))], -1);
        assert!(left(&batch, &map, 0).is_none());
    }

    #[test]
    fn a_record_without_a_key_goes_and_one_past_the_map_stays() {
        let map = map_of(&[("a", 8)], 8);
        let batch = at(
            7,
            &[(None, Some("x")), (None, Some("y")), (Some("a"), Some("z"))],
            -1,
        );
        assert_eq!(left(&batch, &map, 0).unwrap().0, [9]);
        let batch = at(9, &[(None, Some("x"))], -1);
        assert_eq!(left(&batch, &map, 0).unwrap().0, [9]);
    }

    #[test]
    fn a_tombstone_goes_after_its_horizon_and_not_before() {
        let map = map_of(&[("a", 3)], 20);
        let batch = at(3, &[(Some("a"), None)], -1);
        let (offsets, first) = left(&batch, &map, 500).unwrap();
        assert_eq!(offsets, [3]);
        assert!(first.header().attributes().has_delete_horizon());
        assert_eq!(first.header().base_timestamp(), 1_500);
        assert_eq!(left(&first, &map, 1_499).unwrap().0, [3]);
        assert!(left(&first, &map, 1_500).is_none());
    }

    #[test]
    fn the_header_with_a_producers_last_sequence_stays() {
        let map = map_of(&[("a", 8)], 20);
        let records = [(Some("a"), Some("1")), (Some("a"), Some("2"))];
        let (offsets, empty) = left(&at(0, &records, 5), &map, 0).unwrap();
        assert!(offsets.is_empty());
        assert_eq!(empty.header().last_sequence(), 1);
        assert!(left(&at(2, &records, 5), &map, 0).is_none(), "not its last");
        assert!(
            left(&at(0, &records, 6), &map, 0).is_none(),
            "not remembered"
        );
    }

    #[test]
    fn the_last_batch_before_what_cannot_be_compacted_keeps_its_header() {
        let map = map_of(&[("a", 150)], 150);
        let (offsets, empty) = left(&at(99, &[(Some("a"), Some("1"))], -1), &map, 0).unwrap();
        assert!(offsets.is_empty());
        assert_eq!(empty.header().next_offset(), Offset(100));
    }

    #[test]
    fn a_superfluous_marker_goes_after_its_horizon_and_not_before() {
        let map = map_of(&[("a", 8)], 20);
        let end = EndTransaction {
            committed: true,
            coordinator_epoch: 3,
        };
        let marker = Batch::new(end.batch(9, 0, 10).bytes).unwrap();
        let (_, first) = left(&marker, &map, 500).unwrap();
        assert!(first.header().attributes().has_delete_horizon());
        assert_eq!(first.header().base_timestamp(), 1_500);
        assert_eq!(EndTransaction::of_batch(first.bytes()).unwrap(), Some(end));
        assert_eq!(left(&first, &map, 1_499).unwrap().1, first);
        assert!(left(&first, &map, 1_500).is_none());
    }

    #[test]
    fn a_tombstone_of_a_transaction_goes_like_any_other() {
        let map = map_of(&[], 20);
        let batch = of_transaction(None);
        let (_, first) = left(&batch, &map, 0).unwrap();
        assert_eq!(left(&first, &map, 999).unwrap().0, [0]);
        assert!(left(&first, &map, 1_000).is_none());
    }

    #[test]
    fn records_of_an_aborted_transaction_go_though_nothing_replaces_them() {
        let map = map_of(&[], 20);
        let aborted = AbortedTransaction {
            producer_id: 9,
            first_offset: Offset(0),
            last_offset: Offset(1),
            last_stable_offset: Offset(2),
        };
        let batch = of_transaction(Some(b"v"));
        assert!(left_beside(Some(aborted), &batch, &map, 0).is_none());
        assert_eq!(left(&batch, &map, 0).unwrap().0, [0]);
    }

    fn of_transaction(value: Option<&[u8]>) -> Batch {
        let mut builder = BatchBuilder::new(Codec::None)
            .producer(9, 0, 0)
            .transactional();
        builder.append(1, Some(b"a"), value, &[]);
        Batch::new(builder.build()).unwrap()
    }
}
