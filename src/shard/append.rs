//! Appending: batches to their owners, and the wait until they are as durable as the flush policy says.
//!
//! The order of appends follows the order of calls: a batch is staged (or on its way to the owner) when [`Shard::append`]
//! returns; only the answer is waited for.

use super::Shard;
use super::mesh::Pending;
use super::message::{Answer, AppendOutcome, AppendPart, Call, PartitionFault};
use super::partition::Partition;
use crate::log::{AppendError, Appended, LogError};
use crate::types::{PartitionKey, ShardId, TimestampMs};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

/// The wait until a batch is committed, or its log has failed.
pub(super) type Commit = Pin<Box<dyn Future<Output = Result<(), LogError>>>>;

/// A batch that its partition has accepted, with the wait for it, or refused. The wait begins with the append: one that
/// began later could miss a failure in between.
pub(super) type Staged = Result<(Appended, Commit), PartitionFault>;

enum Share {
    Here(Vec<Staged>),
    Elsewhere(Pending),
}

impl Shard {
    /// Appends each part to its partition. Outcomes are in the order of the parts.
    ///
    /// Cancel safety: dropping the future abandons the answer, not the append.
    pub fn append(
        self: &Rc<Self>,
        parts: Vec<AppendPart>,
    ) -> impl Future<Output = Vec<AppendOutcome>> + use<> {
        self.append_at_owners(parts, |part| &part.key, Shard::stage, Call::Append)
    }

    /// Has each owner append what is its own: here by `stage`, on other cores by a `call`. All are asked when this returns.
    pub(super) fn append_at_owners<P, K, S, C>(
        self: &Rc<Self>,
        parts: Vec<P>,
        key: K,
        stage: S,
        call: C,
    ) -> impl Future<Output = Vec<AppendOutcome>> + use<P, K, S, C>
    where
        K: Fn(&P) -> &PartitionKey,
        S: Fn(&Shard, Vec<P>) -> Vec<Staged>,
        C: Fn(Vec<P>) -> Call,
    {
        let count = parts.len();
        let mut by_owner: Vec<(ShardId, Vec<usize>, Vec<P>)> = Vec::new();
        for (index, part) in parts.into_iter().enumerate() {
            let owner = self.owner(key(&part));
            match by_owner.iter_mut().find(|(core, ..)| *core == owner) {
                Some((_, indexes, parts)) => {
                    indexes.push(index);
                    parts.push(part);
                }
                None => by_owner.push((owner, vec![index], vec![part])),
            }
        }
        let shares: Vec<(Vec<usize>, Share)> = by_owner
            .into_iter()
            .map(|(owner, indexes, parts)| {
                let share = if owner == self.me() {
                    Share::Here(stage(self, parts))
                } else {
                    Share::Elsewhere(self.mesh.call(owner, call(parts)))
                };
                (indexes, share)
            })
            .collect();
        async move {
            let mut outcomes = vec![Err(PartitionFault::NotHere); count];
            for (indexes, share) in shares {
                for (index, outcome) in indexes.into_iter().zip(settle(share).await) {
                    outcomes[index] = outcome;
                }
            }
            outcomes
        }
    }

    /// The owner's side: every batch is checked against its partition and staged before this returns.
    pub fn stage(&self, parts: Vec<AppendPart>) -> Vec<Staged> {
        let now = TimestampMs::now();
        parts
            .into_iter()
            .map(|part| {
                let partition = self.partition(&part.key)?;
                let appended = partition
                    .log
                    .append(&part.batch, partition.leader_epoch.get(), now);
                staged(&partition, appended)
            })
            .collect()
    }
}

/// What a log said to an append, with the wait for it.
pub(super) fn staged(partition: &Partition, appended: Result<Appended, AppendError>) -> Staged {
    let appended = appended.map_err(PartitionFault::Refused)?;
    let end = appended.last_offset + 1;
    Ok((appended, Box::pin(partition.log.committed(end)) as Commit))
}

async fn settle(share: Share) -> Vec<AppendOutcome> {
    match share {
        Share::Here(staged) => committed(staged).await,
        Share::Elsewhere(pending) => match pending.await {
            Answer::Append(outcomes) => outcomes,
            other => unreachable!("an append was answered with {other:?}"),
        },
    }
}

/// Waits for each staged batch. A batch that was a duplicate waits for its original.
pub async fn committed(staged: Vec<Staged>) -> Vec<AppendOutcome> {
    let mut outcomes = Vec::with_capacity(staged.len());
    for staged in staged {
        outcomes.push(match staged {
            Ok((appended, commit)) => commit
                .await
                .map(|()| appended)
                .map_err(PartitionFault::Failed),
            Err(fault) => Err(fault),
        });
    }
    outcomes
}
