//! The ends of transactions: markers to the partitions that took part, at their owners.
//!
//! Who decides that a transaction is over, and in which partitions, is the coordinator's; here it is only written down. A marker
//! goes the way of a batch: in the order of the calls, answered when it is as durable as with acks=all, and in `__consumer_offsets`
//! when the groups' coordinator knows, too.

use super::Shard;
use super::append::{Commit, Staged, staged};
use super::message::{Call, PartitionFault};
use crate::log::Marker;
use crate::types::{PartitionKey, TimestampMs};
use crate::wire::records::EndTransaction;
use std::rc::Rc;

/// The end of a producer's transaction in one partition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MarkerPart {
    /// The partition.
    pub key: PartitionKey,
    /// The producer's id.
    pub producer_id: i64,
    /// Its epoch. A newer one than the transaction's fences who wrote the transaction.
    pub producer_epoch: i16,
    /// The epoch of the coordinator that decided.
    pub coordinator_epoch: i32,
    /// The transaction's records count; else they are aborted.
    pub committed: bool,
}

impl Shard {
    /// Writes markers; outcomes are in the order of the parts. One for a producer that has no transaction open in a partition
    /// is written all the same.
    ///
    /// Refused are the markers of a producer's older epoch and those of an older coordinator.
    pub async fn write_markers(
        self: &Rc<Self>,
        parts: Vec<MarkerPart>,
    ) -> Vec<Result<(), PartitionFault>> {
        self.write_markers_of(0, parts).await
    }

    /// [`Shard::write_markers`] by the rules of a `transaction.version`: from 2 on each transaction ends in an epoch of its own
    /// (KIP-890), so a marker of the epoch in which a transaction is open comes too late for another, and is refused.
    pub async fn write_markers_of(
        self: &Rc<Self>,
        transaction_version: i16,
        parts: Vec<MarkerPart>,
    ) -> Vec<Result<(), PartitionFault>> {
        let written = self.append_at_owners(
            parts,
            |part| &part.key,
            |shard, parts| shard.stage_markers(transaction_version, parts),
            |parts| Call::Markers(transaction_version, parts),
        );
        let outcomes = written.await;
        outcomes.into_iter().map(|one| one.map(|_| ())).collect()
    }

    /// The owner's side: every marker is checked against its partition and staged before this returns.
    pub(super) fn stage_markers(
        &self,
        transaction_version: i16,
        parts: Vec<MarkerPart>,
    ) -> Vec<Staged> {
        let now = TimestampMs::now();
        let stage = |part: MarkerPart| {
            let partition = self.partition(&part.key)?;
            let marker = Marker {
                producer_id: part.producer_id,
                epoch: part.producer_epoch,
                end: EndTransaction {
                    committed: part.committed,
                    coordinator_epoch: part.coordinator_epoch,
                },
                transaction_version,
            };
            let epoch = partition.leader_epoch.get();
            let appended = partition.log.append_marker(&marker, epoch, now);
            let (appended, commit) = staged(&partition, appended)?;
            let told = self.offsets_settled(&part, &partition);
            let commit = async move {
                commit.await?;
                told.await;
                Ok(())
            };
            Ok((appended, Box::pin(commit) as Commit))
        };
        parts.into_iter().map(stage).collect()
    }
}
