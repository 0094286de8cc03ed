//! Ids for producers, none of them ever given twice: each core has a block of its own from the metadata log.

use super::{Change, ChangeError, ChangeOutcome, Shard};
use glommio::sync::Semaphore;
use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

/// Ids that this core may hand out.
pub(super) struct ProducerIds {
    left: RefCell<Range<i64>>,
    /// One block at a time.
    turn: Semaphore,
}

impl Default for ProducerIds {
    fn default() -> ProducerIds {
        ProducerIds {
            left: RefCell::default(),
            turn: Semaphore::new(1),
        }
    }
}

impl Shard {
    /// A producer id that nobody has had.
    ///
    /// # Errors
    /// No block can be had.
    pub async fn producer_id(self: &Rc<Self>) -> Result<i64, ChangeError> {
        let ids = &self.producer_ids;
        // Those that wait for a block find what the first of them got.
        let used_up = ids.left.borrow().is_empty();
        let _turn = match used_up {
            true => ids.turn.acquire_permit(1).await.ok(),
            false => None,
        };
        loop {
            if let Some(id) = ids.left.borrow_mut().next() {
                return Ok(id);
            }
            match self.change(Change::AllocateProducerIds).await {
                ChangeOutcome::ProducerIds(block) => *ids.left.borrow_mut() = block?,
                other => unreachable!("an allocation was answered with {other:?}"),
            }
        }
    }
}
