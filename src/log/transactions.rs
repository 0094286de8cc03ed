//! Which transactions of a log are not over, and so where the last stable offset is. Pure data.
//!
//! A transaction is *ongoing* from its first batch to its marker, and *ended* from there until the marker is below the high
//! watermark. The first offset of all of both is the first that is not stable (Kafka's `ProducerStateManager`, `ongoingTxns`
//! and `unreplicatedTxns`).

use std::collections::BTreeMap;

use crate::types::Offset;

/// The transactions that are not over.
#[derive(Clone, Default, Debug)]
pub(super) struct Transactions {
    /// The producer of each, by its first offset.
    ongoing: BTreeMap<Offset, i64>,
    /// The marker's offset of each, by its first offset.
    ended: BTreeMap<Offset, Offset>,
}

impl Transactions {
    /// A producer's transaction begins at this offset.
    pub(super) fn begin(&mut self, first: Offset, producer_id: i64) {
        self.ongoing.insert(first, producer_id);
    }

    /// There is no such transaction after all.
    pub(super) fn forget(&mut self, first: Offset) {
        self.ongoing.remove(&first);
    }

    /// The transaction has its marker.
    pub(super) fn end(&mut self, first: Offset, marker: Offset) {
        self.ongoing.remove(&first);
        self.ended.insert(first, marker);
    }

    /// The marker is taken back.
    pub(super) fn reopen(&mut self, first: Offset, producer_id: i64) {
        self.ended.remove(&first);
        self.begin(first, producer_id);
    }

    /// Markers before this offset are committed: their transactions are over.
    pub(super) fn committed_up_to(&mut self, high_watermark: Offset) {
        if !self.ended.is_empty() {
            self.ended.retain(|_, marker| *marker >= high_watermark);
        }
    }

    /// The first offset of all that is not over.
    pub(super) fn first_unstable(&self) -> Option<Offset> {
        let ongoing = self.first_ongoing();
        let ended = self.ended.first_key_value().map(|(first, _)| *first);
        match (ongoing, ended) {
            (Some(ongoing), Some(ended)) => Some(ongoing.min(ended)),
            (one, other) => one.or(other),
        }
    }

    /// The first offset of all that have no marker.
    pub(super) fn first_ongoing(&self) -> Option<Offset> {
        self.ongoing.first_key_value().map(|(first, _)| *first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_holds_the_last_stable_offset_until_its_marker_is_committed() {
        let mut transactions = Transactions::default();
        assert_eq!(transactions.first_unstable(), None);
        transactions.begin(Offset(5), 1);
        transactions.begin(Offset(7), 2);
        assert_eq!(transactions.first_unstable(), Some(Offset(5)));
        transactions.end(Offset(5), Offset(9));
        assert_eq!(transactions.first_unstable(), Some(Offset(5)));
        assert_eq!(transactions.first_ongoing(), Some(Offset(7)));
        transactions.committed_up_to(Offset(9));
        assert_eq!(transactions.first_unstable(), Some(Offset(5)));
        transactions.committed_up_to(Offset(10));
        assert_eq!(transactions.first_unstable(), Some(Offset(7)));
    }

    #[test]
    fn what_is_taken_back_was_never_there() {
        let mut transactions = Transactions::default();
        transactions.begin(Offset(5), 1);
        transactions.end(Offset(5), Offset(6));
        transactions.reopen(Offset(5), 1);
        transactions.committed_up_to(Offset(100));
        assert_eq!(transactions.first_ongoing(), Some(Offset(5)));
        transactions.forget(Offset(5));
        assert_eq!(transactions.first_unstable(), None);
    }
}
