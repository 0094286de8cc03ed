//! Fetch (1): whole batches below the high watermark, straight from the page cache.
//!
//! Versions 0–18: message sets before 4, made from the batches there are; 5 brings the log start offset, 7 fetch sessions, 9 leader epochs, 11 racks, 12 diverging epochs (and is flexible),
//! 13 topic ids, 15 the replica's state as a tagged field. Record data never passes through here: a plan says where it lies,
//! and the network fills the hole that the encoder leaves.

use super::fetch_sessions::{Interest, Opened, SessionError};
use super::{Asked, Handled, READ_COMMITTED, faults, old_formats};
use crate::limits;
use crate::log::{self, ReadPlan};
use crate::shard::{FetchSpec, PartitionFault, PartitionRead, ReadOutcome, ReadPart, Shard};
use crate::types::{Offset, PartitionKey};
use crate::wire::messages::fetch::{
    AbortedTransaction, EpochEndOffset, FetchRequest, FetchResponse, FetchableTopicResponse,
    PartitionData,
};
use crate::wire::records::Codec;
use crate::wire::{ApiKey, ErrorCode, Records};
use bytes::Bytes;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Before this version clients get message sets.
const RECORD_BATCHES_FROM: i16 = 4;
/// Clients know zstd from this version on.
const ZSTD_FROM: i16 = 10;
/// Topics are named by id from this version on.
const TOPIC_IDS_FROM: i16 = 13;

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: FetchRequest = asked.decode()?;
    let by_id = asked.version() >= TOPIC_IDS_FROM;
    let opened = asked
        .context
        .sessions
        .borrow_mut()
        .open(&request, by_id, Instant::now());
    let opened = match opened {
        Ok(opened) => opened,
        Err(error) => return Ok(refused(asked, error)),
    };
    let outcomes = read(asked, &request, &opened.interests, by_id).await;
    if asked.version() < RECORD_BATCHES_FROM {
        return old_answer(asked, &opened, outcomes).await;
    }
    Ok(answer(asked, &request, &opened, outcomes, by_id))
}

fn refused(asked: &Asked<'_>, error: SessionError) -> Handled {
    let response = FetchResponse {
        error_code: match error {
            SessionError::NotFound => ErrorCode::FETCH_SESSION_ID_NOT_FOUND,
            SessionError::Epoch => ErrorCode::INVALID_FETCH_SESSION_EPOCH,
            SessionError::NamesAndIdsMixed => ErrorCode::FETCH_SESSION_TOPIC_ID_ERROR,
        },
        ..FetchResponse::default()
    };
    asked.answer(ApiKey::Fetch, &response)
}

/// Outcomes in the order of the interests.
async fn read(
    asked: &Asked<'_>,
    request: &FetchRequest,
    interests: &[Interest],
    by_id: bool,
) -> Vec<ReadOutcome> {
    let shard = &asked.context.shard;
    let image = shard.image();
    let mut parts = Vec::with_capacity(interests.len());
    let mut places = Vec::with_capacity(interests.len());
    let mut outcomes: Vec<ReadOutcome> = vec![Err(PartitionFault::NotHere); interests.len()];
    for (index, interest) in interests.iter().enumerate() {
        let topic = if by_id {
            image.topic(interest.topic_id)
        } else {
            image.topic_by_name(&interest.topic)
        };
        let Some(topic) = topic else { continue };
        let exists = usize::try_from(interest.partition)
            .is_ok_and(|partition| partition < topic.partitions.len());
        if exists && asked.version() < ZSTD_FROM && stores_zstd(shard, topic.id) {
            outcomes[index] = Err(PartitionFault::UnknownCodec);
        } else if exists {
            places.push(index);
            parts.push(part(interest, topic.id));
        } else {
            outcomes[index] = Err(PartitionFault::NoSuchPartition);
        }
    }
    let unknown = parts.len() < interests.len();
    let patience = Duration::from_millis(request.max_wait_ms.max(0).unsigned_abs().into());
    let wait = !unknown && !parts.is_empty() && !patience.is_zero();
    let spec = FetchSpec {
        parts,
        min_bytes: request.min_bytes.max(0).unsigned_abs(),
        max_bytes: request
            .max_bytes
            .max(0)
            .unsigned_abs()
            .min(largest_answer(asked)),
        committed: request.isolation_level == READ_COMMITTED,
        deadline: wait.then(|| Instant::now() + patience.min(limits::LONGEST_FETCH_WAIT)),
        gone: Rc::clone(&asked.client.gone),
    };
    let read = shard.fetch(&spec, speaks_at_once).await;
    for (place, outcome) in places.into_iter().zip(read) {
        outcomes[place] = outcome;
    }
    outcomes
}

fn stores_zstd(shard: &Shard, topic: uuid::Uuid) -> bool {
    let config = shard.topic_config(&topic);
    config.is_some_and(|config| config.compression == Some(Codec::Zstd))
}

/// Record data that one answer holds, in bytes, but for the first batch.
fn largest_answer(asked: &Asked<'_>) -> u32 {
    let configured = asked.context.shard.config.fetch_max_bytes;
    if asked.version() < RECORD_BATCHES_FROM {
        configured.min(limits::DOWN_CONVERTED_BYTES)
    } else {
        configured
    }
}

/// Errors and diverging epochs are not held back.
fn speaks_at_once(outcomes: &[ReadOutcome]) -> bool {
    outcomes.iter().any(|outcome| {
        outcome
            .as_ref()
            .map_or(true, |read| read.diverging.is_some())
    })
}

fn part(interest: &Interest, topic_id: uuid::Uuid) -> ReadPart {
    ReadPart {
        key: PartitionKey {
            topic_id,
            partition: interest.partition,
        },
        offset: Offset(interest.fetch_offset),
        max_bytes: interest.max_bytes.max(0).unsigned_abs(),
        current_leader_epoch: interest.current_leader_epoch,
        last_fetched_epoch: interest.last_fetched_epoch,
    }
}

fn answer(
    asked: &Asked<'_>,
    request: &FetchRequest,
    opened: &Opened,
    outcomes: Vec<ReadOutcome>,
    by_id: bool,
) -> Handled {
    let mut response = FetchResponse {
        session_id: opened.session_id,
        ..FetchResponse::default()
    };
    let mut plans: Vec<ReadPlan> = Vec::new();
    let committed = request.isolation_level == READ_COMMITTED;
    let mut sessions = asked.context.sessions.borrow_mut();
    for (interest, outcome) in opened.interests.iter().zip(outcomes) {
        let data = partition_data(interest, outcome, committed, by_id, &mut plans);
        if sessions.is_news(opened, interest, &data) {
            push(&mut response.responses, interest, data);
        }
    }
    asked.answer_with(ApiKey::Fetch, &response, plans)
}

/// What clients get that do not know record batches: the same records as messages of their format, in memory.
async fn old_answer(
    asked: &Asked<'_>,
    opened: &Opened,
    outcomes: Vec<ReadOutcome>,
) -> Result<Handled, Handled> {
    let mut response = FetchResponse::default();
    let mut left = limits::DOWN_CONVERTED_BYTES as usize;
    for (interest, outcome) in opened.interests.iter().zip(outcomes) {
        let mut plans = Vec::new();
        let mut data = partition_data(interest, outcome, false, false, &mut plans);
        if let Some(plan) = plans.pop() {
            let max_bytes = left.min(interest.max_bytes.max(0).unsigned_abs() as usize);
            match old_records(asked, interest, plan, max_bytes).await {
                Ok(set) => {
                    left = left.saturating_sub(set.len());
                    data.records = Records::Bytes(set);
                }
                Err(code) => {
                    data.error_code = code;
                    data.records = Records::Bytes(Bytes::new());
                }
            }
        }
        push(&mut response.responses, interest, data);
    }
    Ok(asked.answer(ApiKey::Fetch, &response))
}

/// The records of a plan as messages. Where none is left of them (compaction may leave a batch's header alone, and markers are
/// no messages), what follows is read: these clients go on behind the last message and would ask for the same again and again.
async fn old_records(
    asked: &Asked<'_>,
    interest: &Interest,
    mut plan: ReadPlan,
    max_bytes: usize,
) -> Result<Bytes, ErrorCode> {
    let mut interest = interest.clone();
    let at_once = FetchRequest {
        max_wait_ms: 0,
        max_bytes: interest.max_bytes,
        ..FetchRequest::default()
    };
    loop {
        let from = interest.fetch_offset;
        let converted = old_formats::down_converted(asked, plan, from, max_bytes).await?;
        if !converted.set.is_empty() || converted.next <= from {
            return Ok(converted.set);
        }
        interest.fetch_offset = converted.next;
        let mut outcomes = read(asked, &at_once, std::slice::from_ref(&interest), false).await;
        let next = outcomes.pop().and_then(Result::ok);
        let Some(next) = next.and_then(|read| read.plan) else {
            return Ok(converted.set);
        };
        plan = next;
    }
}

/// Partitions of one topic that follow each other share its entry.
fn push(topics: &mut Vec<FetchableTopicResponse>, interest: &Interest, data: PartitionData) {
    match topics.last_mut() {
        Some(last) if last.topic == interest.topic && last.topic_id == interest.topic_id => {
            last.partitions.push(data);
        }
        _ => topics.push(FetchableTopicResponse {
            topic: interest.topic.clone(),
            topic_id: interest.topic_id,
            partitions: vec![data],
        }),
    }
}

fn partition_data(
    interest: &Interest,
    outcome: ReadOutcome,
    committed: bool,
    by_id: bool,
    plans: &mut Vec<ReadPlan>,
) -> PartitionData {
    let mut data = PartitionData {
        partition_index: interest.partition,
        high_watermark: -1,
        last_stable_offset: -1,
        log_start_offset: -1,
        records: Records::Bytes(Bytes::new()),
        ..PartitionData::default()
    };
    match outcome {
        Ok(read) => fill(&mut data, read, committed, plans),
        Err(fault) => {
            data.error_code = faults::partition(&fault, by_id);
            if let PartitionFault::OutOfRange(log_start) = fault {
                data.log_start_offset = log_start.0;
            }
        }
    }
    data
}

fn fill(data: &mut PartitionData, read: PartitionRead, committed: bool, plans: &mut Vec<ReadPlan>) {
    data.high_watermark = read.high_watermark.0;
    data.last_stable_offset = read.last_stable_offset.0;
    data.log_start_offset = read.log_start.0;
    data.aborted_transactions = committed.then(|| {
        let listed = |one: &log::AbortedTransaction| AbortedTransaction {
            producer_id: one.producer_id,
            first_offset: one.first_offset.0,
        };
        read.aborted.iter().map(listed).collect()
    });
    if let Some((epoch, end_offset)) = read.diverging {
        data.diverging_epoch = EpochEndOffset {
            epoch: epoch.0,
            end_offset: end_offset.0,
        };
    }
    if let Some(plan) = read.plan {
        data.records = Records::External {
            token: plans.len() as u32,
            len: plan.len,
        };
        plans.push(plan);
    }
}
