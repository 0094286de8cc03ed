//! Reading: plans made by the owners, the wait for them on the connection's core.
//!
//! The core that has the connection asks each owner for plans, cuts them in request order, and if there is too little waits
//! until an owner tells it of an advance; then everything is planned anew. An owner makes a plan's numbers (high watermark,
//! last stable offset) in one borrow, together with the limit of its bytes.

use super::Shard;
use super::mesh::Pending;
use super::message::{Answer, Call, Message, PartitionFault, Watch};
use super::signal::Signal;
use crate::log::{AbortedTransaction, ReadError, ReadPlan};
use crate::types::{LeaderEpoch, Offset, PartitionKey, ShardId};
use futures_lite::future::or;
use std::rc::Rc;
use std::time::Instant;

/// One partition of a fetch.
#[derive(Clone, Copy, Debug)]
pub struct ReadPart {
    /// The partition.
    pub key: PartitionKey,
    /// From where.
    pub offset: Offset,
    /// At most this many bytes, but for the first batch.
    pub max_bytes: u32,
    /// The client's idea of the leader epoch, -1 for none.
    pub current_leader_epoch: i32,
    /// The epoch of the client's last batch, -1 for none.
    pub last_fetched_epoch: i32,
}

/// Plans asked of one owner.
#[derive(Debug)]
pub struct ReadCall {
    /// In request order.
    pub parts: Vec<ReadPart>,
    /// Over all parts, but for the first batch.
    pub max_bytes: u32,
    /// Nothing at or past the last stable offset, and which transactions were aborted.
    pub committed: bool,
    /// Whether the first part with data may exceed the limits by its first batch.
    pub at_least_one: bool,
    /// To be told when more comes.
    pub watch: Option<Watch>,
}

/// What a partition has for a fetch.
#[derive(Clone, Debug)]
pub struct PartitionRead {
    /// Consumers see offsets below.
    pub high_watermark: Offset,
    /// Transactional consumers see offsets below.
    pub last_stable_offset: Offset,
    /// The first offset there is.
    pub log_start: Offset,
    /// The client's log has diverged: the largest epoch both know, and where it ends here.
    pub diverging: Option<(LeaderEpoch, Offset)>,
    /// The bytes, if there are any.
    pub plan: Option<ReadPlan>,
    /// The transactions that were aborted among them; only where committed records are read.
    pub aborted: Vec<AbortedTransaction>,
}

impl PartitionRead {
    /// Bytes to send.
    pub fn bytes(&self) -> u32 {
        self.plan.as_ref().map_or(0, |plan| plan.len)
    }
}

/// A part's answer.
pub type ReadOutcome = Result<PartitionRead, PartitionFault>;

/// A fetch as the waiting room sees it.
pub struct FetchSpec {
    /// In request order.
    pub parts: Vec<ReadPart>,
    /// Answer at once when this much is there.
    pub min_bytes: u32,
    /// Over all partitions, but for the first batch.
    pub max_bytes: u32,
    /// Committed records only.
    pub committed: bool,
    /// Answer by then with what is there; `None` answers at once.
    pub deadline: Option<Instant>,
    /// Raised when nobody waits for the answer any more.
    pub gone: Rc<Signal>,
}

/// A read that its owner works on, or that is this core's own.
enum Begun {
    Here(ReadCall),
    Elsewhere(Pending),
}

impl Shard {
    /// Serves a fetch: waits until `min_bytes` are there, something went wrong, or time is up. Outcomes are in request order.
    pub async fn fetch(
        self: &Rc<Self>,
        spec: &FetchSpec,
        answer_now: impl Fn(&[ReadOutcome]) -> bool,
    ) -> Vec<ReadOutcome> {
        loop {
            let time_left = spec
                .deadline
                .map(|deadline| deadline.saturating_duration_since(Instant::now()))
                .filter(|left| !left.is_zero() && !spec.gone.is_raised() && !self.is_draining());
            let wait = time_left.map(|_| self.waits.begin());
            let outcomes = self.read_all(spec, wait.as_ref().map(|wait| wait.id)).await;
            let bytes: u64 = outcomes
                .iter()
                .flatten()
                .map(|read| u64::from(read.bytes()))
                .sum();
            let (Some(wait), Some(left)) = (wait, time_left) else {
                return outcomes;
            };
            if bytes >= u64::from(spec.min_bytes) || answer_now(&outcomes) {
                self.unwatch(wait.id, &spec.parts);
                return outcomes;
            }
            let out_of_time = async {
                or(
                    or(spec.gone.wait(), self.draining.wait()),
                    glommio::timer::sleep(left),
                )
                .await;
                true
            };
            let told = async {
                wait.signal.wait().await;
                false
            };
            if or(told, out_of_time).await {
                self.unwatch(wait.id, &spec.parts);
                return self.read_all(spec, None).await;
            }
        }
    }

    /// Asks every owner once and cuts the plans in request order.
    async fn read_all(self: &Rc<Self>, spec: &FetchSpec, watch: Option<u64>) -> Vec<ReadOutcome> {
        let mut by_owner: Vec<Vec<usize>> = vec![Vec::new(); self.mesh.cores()];
        for (index, part) in spec.parts.iter().enumerate() {
            by_owner[self.owner(&part.key).0].push(index);
        }
        let owners = by_owner.iter().filter(|parts| !parts.is_empty()).count();
        let watch = watch.map(|id| Watch {
            id,
            bytes: u64::from(spec.min_bytes)
                .div_ceil(owners.max(1) as u64)
                .max(1),
            committed: spec.committed,
        });
        let mut asked = Vec::with_capacity(owners);
        for (core, indexes) in by_owner.into_iter().enumerate() {
            if indexes.is_empty() {
                continue;
            }
            let call = ReadCall {
                parts: indexes.iter().map(|&index| spec.parts[index]).collect(),
                max_bytes: spec.max_bytes,
                committed: spec.committed,
                at_least_one: true,
                watch,
            };
            asked.push((indexes, self.begin_read(ShardId(core), call)));
        }
        let mut outcomes: Vec<ReadOutcome> = vec![Err(PartitionFault::NotHere); spec.parts.len()];
        for (indexes, begun) in asked {
            for (index, outcome) in indexes.into_iter().zip(self.finish_read(begun).await) {
                outcomes[index] = outcome;
            }
        }
        if owners > 1 {
            self.cut(spec, &mut outcomes).await;
        }
        outcomes
    }

    /// Each owner has kept the limits by itself; together the plans may exceed them. The first part with data keeps its first
    /// batch in any case; the part on the border is planned again with what is left; what follows waits for the next fetch.
    async fn cut(self: &Rc<Self>, spec: &FetchSpec, outcomes: &mut [ReadOutcome]) {
        let mut left = spec.max_bytes;
        let mut first = true;
        for (part, outcome) in spec.parts.iter().zip(outcomes) {
            let Ok(read) = outcome else { continue };
            let bytes = read.bytes();
            if bytes == 0 {
                continue;
            }
            let limit = left.min(part.max_bytes);
            if bytes > limit {
                if left == 0 {
                    read.plan = None;
                    read.aborted.clear();
                } else {
                    let smaller = ReadPart {
                        max_bytes: limit,
                        ..*part
                    };
                    let call = ReadCall {
                        parts: vec![smaller],
                        max_bytes: limit,
                        committed: spec.committed,
                        at_least_one: first,
                        watch: None,
                    };
                    let again = self
                        .finish_read(self.begin_read(self.owner(&part.key), call))
                        .await;
                    *outcome = again
                        .into_iter()
                        .next()
                        .unwrap_or(Err(PartitionFault::NotHere));
                }
            }
            let taken = outcome.as_ref().map_or(0, PartitionRead::bytes);
            first &= taken == 0;
            left = if taken < bytes {
                0
            } else {
                left.saturating_sub(taken)
            };
        }
    }

    /// The owner's work is under way when this returns, where the owner is another core.
    fn begin_read(&self, owner: ShardId, call: ReadCall) -> Begun {
        if owner == self.me() {
            Begun::Here(call)
        } else {
            Begun::Elsewhere(self.mesh.call(owner, Call::Read(Box::new(call))))
        }
    }

    async fn finish_read(self: &Rc<Self>, begun: Begun) -> Vec<ReadOutcome> {
        match begun {
            Begun::Here(call) => self.plan_reads(self.me(), call).await,
            Begun::Elsewhere(pending) => match pending.await {
                Answer::Read(outcomes) => outcomes,
                other => unreachable!("a read was answered with {other:?}"),
            },
        }
    }

    fn unwatch(&self, id: u64, parts: &[ReadPart]) {
        let mut told = vec![false; self.mesh.cores()];
        for part in parts {
            let owner = self.owner(&part.key);
            if std::mem::replace(&mut told[owner.0], true) {
                continue;
            }
            if owner == self.me() {
                self.watches.remove(owner, id);
            } else {
                self.mesh.post(owner, Message::Unwatch(id));
            }
        }
    }

    /// The owner's side: plans in request order within the limits, and the watch, entered before anything can advance unseen.
    pub async fn plan_reads(self: &Rc<Self>, asker: ShardId, call: ReadCall) -> Vec<ReadOutcome> {
        let keys: Vec<_> = call.parts.iter().map(|part| part.key).collect();
        if let Some(watch) = call.watch {
            self.watches.add(asker, watch, keys.clone());
        }
        let mut left = call.max_bytes;
        let mut at_least_one = call.at_least_one;
        let mut outcomes = Vec::with_capacity(call.parts.len());
        for part in &call.parts {
            let limit = left.min(part.max_bytes);
            let outcome = self
                .plan_read(part, limit, at_least_one, call.committed)
                .await;
            let bytes = outcome.as_ref().map_or(0, PartitionRead::bytes);
            at_least_one &= bytes == 0;
            left = left.saturating_sub(bytes);
            outcomes.push(outcome);
        }
        if let Some(watch) = call.watch {
            let found = u64::from(call.max_bytes - left);
            self.watches.credit(asker, watch.id, &keys, found);
        }
        outcomes
    }

    async fn plan_read(
        self: &Rc<Self>,
        part: &ReadPart,
        limit: u32,
        at_least_one: bool,
        committed: bool,
    ) -> ReadOutcome {
        let partition = self.partition(&part.key)?;
        partition.check_epoch(part.current_leader_epoch)?;
        let log = &partition.log;
        let mut read = PartitionRead {
            high_watermark: log.high_watermark(),
            last_stable_offset: log.last_stable_offset(),
            log_start: log.log_start_offset(),
            diverging: None,
            plan: None,
            aborted: Vec::new(),
        };
        if part.last_fetched_epoch >= 0 {
            read.diverging = diverging(log, part)?;
            if read.diverging.is_some() {
                return Ok(read);
            }
        }
        let view = log.read_view(part.offset).map_err(|error| match error {
            ReadError::OutOfRange { .. } => PartitionFault::OutOfRange(read.log_start),
            ReadError::Closed => PartitionFault::NotHere,
        })?;
        if limit > 0 || at_least_one {
            let planned = match committed {
                true => view.plan_committed(limit, at_least_one).await,
                false => view
                    .plan(limit, at_least_one)
                    .await
                    .map(|plan| (plan, Vec::new())),
            };
            (read.plan, read.aborted) = planned.map_err(PartitionFault::Failed)?;
        }
        Ok(read)
    }
}

/// Where the client's log parts from this one: its last batch is of an epoch that ended earlier here.
///
/// # Errors
/// When this log knows no end of that epoch: the client has to begin anew.
fn diverging(
    log: &crate::log::PartitionLog,
    part: &ReadPart,
) -> Result<Option<(LeaderEpoch, Offset)>, PartitionFault> {
    let last = LeaderEpoch(part.last_fetched_epoch);
    let (epoch, end) = log.end_offset_for_epoch(last);
    if epoch.0 < 0 || end.0 < 0 {
        return Err(PartitionFault::OutOfRange(log.log_start_offset()));
    }
    Ok((epoch < last || end < part.offset).then_some((epoch, end)))
}
