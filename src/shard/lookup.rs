//! Looking up offsets and leader epochs, at their owners.

use super::Shard;
use super::message::{
    Answer, Call, EpochQuery, FoundOffset, OffsetOutcome, OffsetQuery, PartitionFault, Wanted,
};
use crate::types::{LeaderEpoch, Offset, PartitionKey, ShardId};
use std::rc::Rc;

/// Where a leader epoch ends: the largest epoch not above the one asked for, and its end offset.
pub type EpochEnd = Result<(LeaderEpoch, Offset), PartitionFault>;

impl Shard {
    /// Looks up offsets; outcomes are in the order of the queries.
    pub async fn offsets(self: &Rc<Self>, queries: Vec<OffsetQuery>) -> Vec<OffsetOutcome> {
        let mut outcomes = vec![Err(PartitionFault::NotHere); queries.len()];
        for (core, indexes) in self.by_owner(queries.iter().map(|query| &query.key)) {
            let asked: Vec<_> = indexes.iter().map(|&index| queries[index]).collect();
            let answers = if core == self.me() {
                self.find_offsets(asked).await
            } else {
                match self.mesh.call(core, Call::Offsets(asked)).await {
                    Answer::Offsets(answers) => answers,
                    other => unreachable!("an offset query was answered with {other:?}"),
                }
            };
            for (index, answer) in indexes.into_iter().zip(answers) {
                outcomes[index] = answer;
            }
        }
        outcomes
    }

    /// Where leader epochs end; outcomes are in the order of the queries.
    pub async fn epoch_ends(self: &Rc<Self>, queries: Vec<EpochQuery>) -> Vec<EpochEnd> {
        let mut outcomes = vec![Err(PartitionFault::NotHere); queries.len()];
        for (core, indexes) in self.by_owner(queries.iter().map(|query| &query.key)) {
            let asked: Vec<_> = indexes.iter().map(|&index| queries[index]).collect();
            let answers = if core == self.me() {
                self.find_epoch_ends(&asked)
            } else {
                match self.mesh.call(core, Call::EpochEnds(asked)).await {
                    Answer::EpochEnds(answers) => answers,
                    other => unreachable!("an epoch query was answered with {other:?}"),
                }
            };
            for (index, answer) in indexes.into_iter().zip(answers) {
                outcomes[index] = answer;
            }
        }
        outcomes
    }

    pub(super) fn by_owner<'a>(
        &self,
        keys: impl Iterator<Item = &'a PartitionKey>,
    ) -> Vec<(ShardId, Vec<usize>)> {
        let mut by_owner: Vec<(ShardId, Vec<usize>)> = (0..self.mesh.cores())
            .map(|core| (ShardId(core), Vec::new()))
            .collect();
        for (index, key) in keys.enumerate() {
            by_owner[self.owner(key).0].1.push(index);
        }
        by_owner.retain(|(_, indexes)| !indexes.is_empty());
        by_owner
    }

    /// The owner's side of [`Shard::offsets`].
    pub async fn find_offsets(&self, queries: Vec<OffsetQuery>) -> Vec<OffsetOutcome> {
        let mut outcomes = Vec::with_capacity(queries.len());
        for query in &queries {
            outcomes.push(self.find_offset(query).await);
        }
        outcomes
    }

    async fn find_offset(&self, query: &OffsetQuery) -> OffsetOutcome {
        let partition = self.partition(&query.key)?;
        partition.check_epoch(query.current_leader_epoch)?;
        let log = &partition.log;
        let at = |offset: Offset| FoundOffset {
            offset: offset.0,
            timestamp: -1,
            leader_epoch: log.epoch_at(offset).map_or(-1, |epoch| epoch.0),
        };
        let end = match query.committed {
            true => log.last_stable_offset(),
            false => log.high_watermark(),
        };
        let found = match query.wanted {
            Wanted::Latest => {
                return Ok(FoundOffset {
                    leader_epoch: partition.leader_epoch.get().0,
                    ..at(end)
                });
            }
            Wanted::Earliest => return Ok(at(log.log_start_offset())),
            Wanted::AtOrAfter(timestamp) => log.offset_for_timestamp(timestamp).await,
            Wanted::MaxTimestamp => log.offset_of_max_timestamp().await,
        };
        let found = found.map_err(PartitionFault::Failed)?;
        let found = found.filter(|found| !query.committed || found.offset < end);
        Ok(found.map_or(FoundOffset::NONE, |found| FoundOffset {
            offset: found.offset.0,
            timestamp: found.timestamp,
            leader_epoch: found.leader_epoch.0,
        }))
    }

    /// The owner's side of [`Shard::epoch_ends`].
    pub fn find_epoch_ends(&self, queries: &[EpochQuery]) -> Vec<EpochEnd> {
        queries
            .iter()
            .map(|query| {
                let partition = self.partition(&query.key)?;
                partition.check_epoch(query.current_leader_epoch)?;
                Ok(partition.log.end_offset_for_epoch(query.epoch))
            })
            .collect()
    }
}
