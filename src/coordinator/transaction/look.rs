//! A transaction from outside.

use super::coordinator::{Coordinator, Entry};
use super::{ListFilter, Now, TransactionDescription, TransactionError, TransactionListing};

impl Coordinator {
    pub(super) fn describe(&self, id: &str) -> Result<TransactionDescription, TransactionError> {
        if id.is_empty() {
            return Err(TransactionError::InvalidRequest);
        }
        let Some(Entry { current, .. }) = self.ids.get(id) else {
            return Err(TransactionError::TransactionalIdNotFound);
        };
        Ok(TransactionDescription {
            state: current.state.name(),
            producer: current.producer(),
            timeout_ms: current.timeout_ms,
            started: current.started,
            partitions: current.partitions.iter().cloned().collect(),
        })
    }

    pub(super) fn list(&self, now: Now, filter: &ListFilter) -> Vec<TransactionListing> {
        let fits = |(id, entry): &(&String, &Entry)| {
            let current = &entry.current;
            let running_ms = now.wall.0.saturating_sub(current.started);
            (filter.states.is_empty() || filter.states.contains(current.state.name()))
                && (filter.producer_ids.is_empty()
                    || filter.producer_ids.contains(&current.producer_id))
                && filter.longer_than_ms.is_none_or(|least| running_ms > least)
                && filter
                    .pattern
                    .as_ref()
                    .is_none_or(|pattern| pattern.is_match(id))
        };
        let listing = |(id, entry): (&String, &Entry)| TransactionListing {
            transactional_id: id.clone(),
            producer_id: entry.current.producer_id,
            state: entry.current.state.name(),
        };
        self.ids.iter().filter(fits).map(listing).collect()
    }
}
