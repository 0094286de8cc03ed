//! Which batches belong to transactions that were aborted, and which markers nobody needs any more. Pure: headers in, verdicts
//! out, in the order of the log.
//!
//! The rules are those of Kafka's `CleanedTransactionMetadata`. The records of an aborted transaction go at once. A marker stays
//! while a batch of its transaction is there, be it one without records; after that until the delete horizon that it gets then,
//! because a reader on its way through the log may still hold the transaction for open.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::log::transaction_index::AbortedTransaction;
use crate::types::Offset;
use crate::wire::records::{BatchHeader, EndTransaction};

/// The transactions around one place of a walk through the log.
#[derive(Default)]
pub(super) struct CleanedTransactions {
    /// Aborted, and not come to yet; by first offset.
    ahead: BTreeMap<Offset, AbortedTransaction>,
    /// Aborted and begun, by producer; whether a batch of it was met.
    aborted: HashMap<i64, (AbortedTransaction, bool)>,
    /// Producers of which a batch of a committed transaction was met.
    committed: HashSet<i64>,
    /// Aborted ones whose marker stays: what the new index holds.
    kept: Vec<AbortedTransaction>,
}

impl CleanedTransactions {
    /// Transactions that were aborted in the next part of the walk. It does no harm to tell of one twice.
    pub(super) fn expect(&mut self, aborted: impl IntoIterator<Item = AbortedTransaction>) {
        for one in aborted {
            self.ahead.insert(one.first_offset, one);
        }
    }

    /// The walk comes to a batch of records: whether they were aborted.
    pub(super) fn is_aborted(&mut self, header: &BatchHeader) -> bool {
        self.come_to(header.last_offset());
        if !header.attributes().is_transactional() {
            return false;
        }
        match self.aborted.get_mut(&header.producer_id()) {
            Some((_, met)) => {
                *met = true;
                true
            }
            None => {
                self.committed.insert(header.producer_id());
                false
            }
        }
    }

    /// The walk comes to a control batch, with what it says: whether nobody needs it any more. One without a record is left from
    /// an earlier run, and so is known to be superfluous.
    pub(super) fn is_superfluous(
        &mut self,
        header: &BatchHeader,
        end: Option<EndTransaction>,
    ) -> bool {
        self.come_to(header.last_offset());
        let producer_id = header.producer_id();
        match end {
            Some(end) if end.committed => !self.committed.remove(&producer_id),
            Some(_) => match self.aborted.remove(&producer_id) {
                Some((transaction, true)) => {
                    self.kept.push(transaction);
                    false
                }
                _ => true,
            },
            None => header.record_count() == 0,
        }
    }

    /// The aborted transactions since the last call whose marker stays, in the order of the markers.
    pub(super) fn take_kept(&mut self) -> Vec<AbortedTransaction> {
        std::mem::take(&mut self.kept)
    }

    fn come_to(&mut self, offset: Offset) {
        while let Some(next) = self.ahead.first_entry()
            && *next.key() <= offset
        {
            let transaction = next.remove();
            self.aborted
                .entry(transaction.producer_id)
                .or_insert((transaction, false));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::LeaderEpoch;
    use crate::wire::records::{BatchBuilder, Codec};

    fn batch(offset: i64, producer: i64, transactional: bool) -> BatchHeader {
        let mut builder = BatchBuilder::new(Codec::None)
            .producer(producer, 0, 0)
            .placed(Offset(offset), LeaderEpoch(0));
        if transactional {
            builder = builder.transactional();
        }
        builder.append(1, Some(b"k"), Some(b"v"), &[]);
        *BatchHeader::read(&builder.build()).unwrap()
    }

    fn aborted(producer_id: i64, first: i64, last: i64) -> AbortedTransaction {
        AbortedTransaction {
            producer_id,
            first_offset: Offset(first),
            last_offset: Offset(last),
            last_stable_offset: Offset(last + 1),
        }
    }

    fn end(committed: bool) -> Option<EndTransaction> {
        Some(EndTransaction {
            committed,
            coordinator_epoch: 0,
        })
    }

    #[test]
    fn only_what_the_transaction_wrote_is_aborted() {
        let mut transactions = CleanedTransactions::default();
        transactions.expect([aborted(1, 5, 9)]);
        assert!(
            !transactions.is_aborted(&batch(4, 1, true)),
            "one before it"
        );
        assert!(!transactions.is_superfluous(&batch(4, 1, true), end(true)));
        assert!(transactions.is_aborted(&batch(5, 1, true)));
        assert!(!transactions.is_aborted(&batch(6, 2, true)));
        assert!(!transactions.is_aborted(&batch(7, 3, false)));
        assert!(!transactions.is_superfluous(&batch(9, 1, true), end(false)));
        assert!(
            !transactions.is_aborted(&batch(10, 1, true)),
            "one after it"
        );
        assert_eq!(transactions.take_kept(), [aborted(1, 5, 9)]);
        assert_eq!(transactions.take_kept(), []);
    }

    #[test]
    fn a_marker_without_a_batch_of_its_transaction_is_superfluous() {
        let mut transactions = CleanedTransactions::default();
        transactions.expect([aborted(1, 5, 9), aborted(1, 5, 9)]);
        assert!(transactions.is_superfluous(&batch(9, 1, true), end(false)));
        assert!(transactions.is_superfluous(&batch(10, 2, true), end(true)));
        assert_eq!(transactions.take_kept(), [], "nobody looks for it");
    }

    #[test]
    fn what_is_no_marker_stays() {
        let mut transactions = CleanedTransactions::default();
        assert!(!transactions.is_superfluous(&batch(9, 1, true), None));
    }
}
