//! From a batch to what is written in its place. Pure: bytes in, bytes out.

use super::filter::Filter;
use super::transactions::CleanedTransactions;
use crate::limits;
use crate::wire::records::retain::{Horizon, Retained, emptied, retain};
use crate::wire::records::{Batch, BatchError, EndTransaction, Scratch};

/// What becomes of a batch.
#[derive(Debug)]
pub(super) enum Fate {
    /// It is copied byte for byte.
    Copy,
    /// This is written instead.
    Replace(Vec<u8>),
    /// Nothing of it stays.
    Drop,
}

/// Rewrites batches; keeps what inflating needs from one to the next.
pub(super) struct Rewriter {
    delete_retention_ms: i64,
    scratch: Scratch,
}

impl Rewriter {
    /// A rewriter for a topic with this `delete.retention.ms`.
    pub(super) fn new(delete_retention_ms: i64) -> Rewriter {
        Rewriter {
            delete_retention_ms,
            scratch: Scratch::default(),
        }
    }

    /// Decides about one batch, of which `transactions` know what it is to them.
    ///
    /// # Errors
    /// The batch is damaged.
    pub(super) fn decide(
        &mut self,
        batch: &Batch,
        filter: &Filter<'_>,
        transactions: &mut CleanedTransactions,
    ) -> Result<Fate, BatchError> {
        let header = batch.header();
        let control = header.attributes().is_control();
        let discardable = if control {
            let end = EndTransaction::of_batch(batch.bytes())?;
            transactions.is_superfluous(header, end)
        } else {
            transactions.is_aborted(header)
        };
        if filter.keeps_batch_whole(header) {
            return Ok(Fate::Copy);
        }
        let horizon = Horizon {
            new_ms: filter.now_ms.saturating_add(self.delete_retention_ms),
            always: control && discardable,
        };
        let discarded = discardable && (!control || filter.is_past_horizon(header));
        let most = limits::INFLATED_BATCH_BYTES;
        let retained = retain(batch, horizon, most, &mut self.scratch, |record| {
            !discarded && (control || filter.keeps_record(header, record))
        })?;
        Ok(match retained {
            Retained::Whole => Fate::Copy,
            Retained::Rewritten { batch, .. } => Fate::Replace(batch),
            Retained::Nothing if filter.keeps_header(header) => Fate::Replace(emptied(header)),
            Retained::Nothing => Fate::Drop,
        })
    }
}
