//! Where a transaction writes: partitions are added before anything is written to them, so that each gets its marker.

use super::coordinator::Coordinator;
use super::outbox::Waiting;
use super::state::{State, Transaction, partition_bytes};
use super::{Now, ProducerClaim, RequestId, TopicPartition, TransactionAnswer, TransactionError};
use crate::limits::{
    PARTITIONS_PER_TRANSACTION, TRANSACTION_BYTES_PER_COORDINATOR, TRANSACTION_PARTITION_BYTES,
};

impl Coordinator {
    pub(super) fn add(
        &mut self,
        now: Now,
        request: RequestId,
        claim: &ProducerClaim,
        partitions: &[TopicPartition],
    ) {
        match self.with(now, claim, partitions) {
            Ok(Some(next)) => {
                self.change(&claim.transactional_id, next, Waiting::Added(request));
            }
            Ok(None) => self.out.answer(request, TransactionAnswer::Added(Ok(()))),
            Err(error) => self.out.refuse(Waiting::Added(request), error),
        }
    }

    /// The id with more partitions; `None` if it has them already.
    fn with(
        &self,
        now: Now,
        claim: &ProducerClaim,
        partitions: &[TopicPartition],
    ) -> Result<Option<Transaction>, TransactionError> {
        let entry = self.of(claim)?;
        let current = &entry.current;
        if current.producer_id != claim.producer.id {
            return Err(TransactionError::InvalidProducerIdMapping);
        }
        if current.epoch != claim.producer.epoch {
            return Err(TransactionError::ProducerFenced);
        }
        if entry.pending.is_some() || current.state.is_ending() {
            return Err(TransactionError::ConcurrentTransactions);
        }
        let known = |partition| current.partitions.contains(partition);
        if current.state == State::Ongoing && partitions.iter().all(known) {
            return Ok(None);
        }
        let next = current.with_partitions(partitions.to_vec(), now.wall.0);
        let added: usize = partitions.iter().map(partition_bytes).sum();
        if next.partitions.len() > PARTITIONS_PER_TRANSACTION
            || next.bytes() > TRANSACTION_PARTITION_BYTES
            || self.bytes + added > TRANSACTION_BYTES_PER_COORDINATOR
        {
            return Err(TransactionError::StateTooLarge);
        }
        Ok(Some(next))
    }

    /// Which partitions the transaction writes to. A change that is on its way need not be waited for: the partition itself has the
    /// last word.
    pub(super) fn verify(
        &self,
        claim: &ProducerClaim,
        partitions: &[TopicPartition],
    ) -> Result<Vec<Result<(), TransactionError>>, TransactionError> {
        let current = &self.of(claim)?.current;
        if current.producer_id != claim.producer.id {
            return Err(TransactionError::InvalidProducerIdMapping);
        }
        if current.epoch != claim.producer.epoch {
            return Err(TransactionError::ProducerFenced);
        }
        if current.state.is_ending() {
            return Err(TransactionError::ConcurrentTransactions);
        }
        let outcome = |partition| match current.partitions.contains(partition) {
            true => Ok(()),
            false => Err(TransactionError::TransactionAbortable),
        };
        Ok(partitions.iter().map(outcome).collect())
    }
}
