//! Produce (0): batches to their partitions.
//!
//! Versions 0–13: message sets before 3, which become batches first, then record batches v2 only; 7 brings zstd, 8 per-record errors, 9 is flexible, 13 names topics by id. Each partition's
//! result stands for itself. The request is *dispatched* when its batches are staged, and *answered* when they are as
//! durable as the flush policy says; acks=0 is never answered, an error then closes the connection.

use super::in_transaction::{self, Dialect, Part};
use super::{Answer, Asked, Context, Handled, Outcome, faults, old_formats, stored_codec, txn};
use crate::config::TopicConfig;
use crate::limits;
use crate::log::Appended;
use crate::metadata::topic_name;
use crate::metrics::{Count, here};
use crate::shard::{AppendOutcome, AppendPart, PartitionFault};
use crate::types::{PartitionKey, TimestampMs};
use crate::wire::messages::produce::{
    BatchIndexAndErrorMessage, PartitionProduceData, PartitionProduceResponse, ProduceRequest,
    ProduceResponse, TopicProduceResponse,
};
use crate::wire::records::{
    BatchError, BatchValidator, Codec, Progress, ValidatedBatch, ValidationRules,
};
use crate::wire::{ApiKey, ErrorCode, Records, RequestHeader, Text, frame};
use futures_lite::future::{or, poll_once};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;
use uuid::Uuid;

/// Before this version records come as message sets.
const RECORD_BATCHES_FROM: i16 = 3;
/// zstd is understood by clients of this version and later.
const ZSTD_FROM: i16 = 7;
/// Topics are named by id from this version on.
const TOPIC_IDS_FROM: i16 = 13;
/// A transaction that can only be aborted has a code of its own from this version on.
const ABORTABLE_FROM: i16 = 11;
/// The broker adds partitions to the transaction from this version on.
const ADDS_PARTITIONS_FROM: i16 = 12;
const ACKS_ALL: i16 = -1;

/// One partition's place in the answer.
struct Place {
    topic: usize,
    partition: usize,
}

/// A partition's batch was refused before it reached the log.
struct Refusal {
    code: ErrorCode,
    message: Option<Text>,
    records: Vec<BatchIndexAndErrorMessage>,
}

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: ProduceRequest = asked.decode()?;
    let mut response = ProduceResponse::default();
    let (mut places, mut parts) = (Vec::new(), Vec::new());
    for (topic, data) in request.topic_data.iter().enumerate() {
        let found = find_topic(asked, data.name.as_ref(), data.topic_id);
        response.responses.push(TopicProduceResponse {
            name: data.name.clone(),
            topic_id: data.topic_id,
            partition_responses: Vec::with_capacity(data.partition_data.len()),
        });
        for (partition, batch) in data.partition_data.iter().enumerate() {
            let checked = match &found {
                Ok(found) => check(asked, &request, found, batch).await,
                Err(code) => Err(Refusal::coded(*code)),
            };
            let answers = &mut response.responses[topic].partition_responses;
            match checked {
                Ok(part) => {
                    places.push(Place { topic, partition });
                    parts.push(part);
                    answers.push(PartitionProduceResponse {
                        index: batch.index,
                        ..PartitionProduceResponse::default()
                    });
                }
                Err(refusal) => answers.push(refusal.answer(batch.index)),
            }
        }
    }
    let parts = refuse_outsiders(asked, &request, &mut response, &mut places, parts).await;
    let appended = asked.context.shard.append(parts);
    Ok(finish(asked, &request, response, places, appended))
}

/// Takes out what is not a part of the producer's transaction, and refuses it.
async fn refuse_outsiders(
    asked: &Asked<'_>,
    request: &ProduceRequest,
    response: &mut ProduceResponse,
    places: &mut Vec<Place>,
    parts: Vec<AppendPart>,
) -> Vec<AppendPart> {
    let Some(transactional_id) = &request.transactional_id else {
        return parts;
    };
    let transactional = |part: &&AppendPart| part.batch.transactional;
    let Some(first) = parts.iter().find(transactional) else {
        return parts;
    };
    let (id, epoch) = (first.batch.producer_id, first.batch.producer_epoch);
    let claim = txn::claim(transactional_id, id, epoch);
    let own =
        |part: &AppendPart| (part.batch.producer_id, part.batch.producer_epoch) == (id, epoch);
    let image = asked.context.shard.image();
    let named = |part: &AppendPart| {
        let topic = image.topic(part.key.topic_id);
        Part {
            partition: (
                topic
                    .map(|topic| topic.name.to_string())
                    .unwrap_or_default(),
                part.key.partition,
            ),
            key: part.key,
        }
    };
    let checked = parts.iter().filter(transactional).filter(|part| own(part));
    let dialect = Dialect {
        adds: asked.version() >= ADDS_PARTITIONS_FROM,
        knows_abortable: asked.version() >= ABORTABLE_FROM,
    };
    let outcomes = in_transaction::admit(asked, &claim, checked.map(named).collect(), dialect);
    let mut outcomes = outcomes.await.into_iter();
    let (mut admitted, mut kept) = (Vec::new(), Vec::new());
    for (part, place) in parts.into_iter().zip(std::mem::take(places)) {
        let outcome = match (part.batch.transactional, own(&part)) {
            (false, _) => Ok(()),
            (true, true) => outcomes.next().unwrap_or(Ok(())),
            // One producer a request: Kafka's rule.
            (true, false) => Err(ErrorCode::INVALID_PRODUCER_ID_MAPPING),
        };
        match outcome {
            Ok(()) => {
                admitted.push(part);
                kept.push(place);
            }
            Err(code) => {
                let answers = &mut response.responses[place.topic].partition_responses;
                answers[place.partition] = Refusal::coded(code).answer(part.key.partition);
            }
        }
    }
    *places = kept;
    admitted
}

/// The topic of a request, with its settings.
struct Found {
    id: Uuid,
    partitions: i32,
    is_internal: bool,
    config: Rc<TopicConfig>,
}

fn find_topic(asked: &Asked<'_>, name: &str, id: Uuid) -> Result<Found, ErrorCode> {
    let shard = &asked.context.shard;
    let image = shard.image();
    let by_id = asked.version() >= TOPIC_IDS_FROM;
    let (topic, unknown) = if by_id {
        (image.topic(id), ErrorCode::UNKNOWN_TOPIC_ID)
    } else {
        (
            image.topic_by_name(name),
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        )
    };
    let topic = topic.ok_or(unknown)?;
    let config = shard.topic_config(&topic.id).ok_or(unknown)?;
    Ok(Found {
        id: topic.id,
        partitions: topic.partitions.len() as i32,
        is_internal: topic_name::is_internal(&topic.name),
        config,
    })
}

/// Only Kafka's own tools write to internal topics; they say who they are by this client id.
fn is_administrator(asked: &Asked<'_>) -> bool {
    asked.header.client_id.as_deref() == Some("__admin_client")
}

async fn check(
    asked: &Asked<'_>,
    request: &ProduceRequest,
    topic: &Found,
    data: &PartitionProduceData,
) -> Result<AppendPart, Refusal> {
    if topic.is_internal && !is_administrator(asked) {
        return Err(Refusal::coded(ErrorCode::INVALID_TOPIC_EXCEPTION));
    }
    if !(-1..=1).contains(&request.acks) {
        return Err(Refusal::coded(ErrorCode::INVALID_REQUIRED_ACKS));
    }
    if !(0..topic.partitions).contains(&data.index) {
        return Err(Refusal::coded(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
    }
    if request.acks == ACKS_ALL && topic.config.min_insync_replicas > 1 {
        return Err(Refusal::coded(ErrorCode::NOT_ENOUGH_REPLICAS));
    }
    let Records::Bytes(records) = &data.records else {
        return Err(Refusal::worded(
            ErrorCode::INVALID_RECORD,
            "the partition has no record batch",
        ));
    };
    let records = if asked.version() < RECORD_BATCHES_FROM {
        old_formats::up_converted(asked.context, records, topic.config.max_message_bytes)
            .await
            .map_err(Refusal::batch)?
    } else {
        records.clone()
    };
    let batch = validate(asked.context, records, &topic.config).await?;
    if batch.codec == Codec::Zstd && asked.version() < ZSTD_FROM {
        return Err(Refusal::coded(ErrorCode::UNSUPPORTED_COMPRESSION_TYPE));
    }
    if batch.transactional && request.transactional_id.is_none() {
        return Err(Refusal::coded(
            ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        ));
    }
    let batch = stored_codec::as_the_topic_stores(asked.context, batch, &topic.config)
        .await
        .map_err(Refusal::batch)?;
    let key = PartitionKey {
        topic_id: topic.id,
        partition: data.index,
    };
    Ok(AppendPart { key, batch })
}

/// Checks a batch once and for all. A large one is walked in slices, between which the core serves others.
async fn validate(
    context: &Rc<Context>,
    records: bytes::Bytes,
    topic: &TopicConfig,
) -> Result<ValidatedBatch, Refusal> {
    let rules = ValidationRules {
        max_message_bytes: topic.max_message_bytes,
        timestamp_type: topic.message_timestamp_type.into(),
        timestamp_before_max_ms: topic.message_timestamp_before_max_ms,
        timestamp_after_max_ms: topic.message_timestamp_after_max_ms,
        compacted: topic.compact,
        now: TimestampMs::now(),
        max_decompressed_bytes: limits::INFLATED_BATCH_BYTES,
    };
    let mut validator = BatchValidator::start(records, &rules).map_err(Refusal::batch)?;
    let compressed = validator.header().attributes().codec() != Ok(Codec::None);
    let mut permit = None;
    loop {
        let progress = {
            let mut scratch = context.scratch.borrow_mut();
            validator.step(&mut scratch, limits::VALIDATED_BYTES_A_SLICE)
        };
        match progress.map_err(Refusal::batch)? {
            Progress::Done(batch) => return Ok(batch),
            // The window of a codec fills as it inflates, so the first slice takes little; only so many go on from there.
            Progress::More if compressed && permit.is_none() => {
                permit = context.inflating.acquire_permit(1).await.ok();
            }
            Progress::More => glommio::executor().yield_now().await,
        }
    }
}

/// What the sender waits for.
fn finish(
    asked: &Asked<'_>,
    request: &ProduceRequest,
    mut response: ProduceResponse,
    places: Vec<Place>,
    appended: impl Future<Output = Vec<AppendOutcome>> + 'static,
) -> Handled {
    let header = asked.header.clone();
    let (acks, timeout_ms) = (request.acks, request.timeout_ms);
    Handled::Later(Box::pin(async move {
        let outcomes = if acks == ACKS_ALL {
            in_time(appended, timeout_ms).await
        } else {
            Some(appended.await)
        };
        for (index, place) in places.iter().enumerate() {
            let answer = &mut response.responses[place.topic].partition_responses[place.partition];
            match outcomes.as_ref().map(|outcomes| &outcomes[index]) {
                Some(outcome) => fill(answer, outcome, header.api_version),
                None => answer.error_code = ErrorCode::REQUEST_TIMED_OUT,
            }
        }
        let failed = failures(&response);
        here().count(Count::FailedAppends, failed as u64);
        conclude(&header, acks, &response, failed)
    }))
}

fn failures(response: &ProduceResponse) -> usize {
    let partitions = response
        .responses
        .iter()
        .flat_map(|topic| &topic.partition_responses);
    let failed = partitions.filter(|partition| partition.error_code != ErrorCode::NONE);
    failed.count()
}

fn conclude(
    header: &RequestHeader,
    acks: i16,
    response: &ProduceResponse,
    failed: usize,
) -> Outcome {
    if acks != 0 {
        let pieces = frame::encode_response(
            header.correlation_id,
            ApiKey::Produce,
            header.api_version,
            response,
        );
        return Outcome::Answer(Answer {
            pieces,
            plans: Vec::new(),
        });
    }
    // A client that wants no answer learns of an error by losing its connection.
    if failed > 0 {
        Outcome::Close
    } else {
        Outcome::Silence
    }
}

/// Waits at most `timeout_ms`; the append itself goes on.
async fn in_time<T>(work: impl Future<Output = T>, timeout_ms: i32) -> Option<T> {
    let mut work: Pin<Box<dyn Future<Output = T>>> = Box::pin(work) as Pin<Box<_>>;
    if let Some(done) = poll_once(&mut work).await {
        return Some(done);
    }
    let patience = Duration::from_millis(timeout_ms.max(0).unsigned_abs().into());
    or(async { Some(work.await) }, async {
        glommio::timer::sleep(patience).await;
        None
    })
    .await
}

fn fill(answer: &mut PartitionProduceResponse, outcome: &AppendOutcome, version: i16) {
    match outcome {
        Ok(Appended {
            base_offset,
            log_append_time,
            log_start_offset,
            ..
        }) => {
            answer.base_offset = base_offset.0;
            answer.log_append_time_ms = *log_append_time;
            answer.log_start_offset = log_start_offset.0;
        }
        Err(fault) => {
            answer.error_code = faults::partition(fault, version >= TOPIC_IDS_FROM);
            answer.base_offset = -1;
            answer.log_append_time_ms = -1;
            if let PartitionFault::Refused(error) = fault {
                answer.error_message = super::text(error.to_string());
            }
        }
    }
}

impl Refusal {
    fn coded(code: ErrorCode) -> Refusal {
        Refusal {
            code,
            message: None,
            records: Vec::new(),
        }
    }

    fn worded(code: ErrorCode, words: &str) -> Refusal {
        Refusal {
            message: super::text(words),
            ..Refusal::coded(code)
        }
    }

    fn batch(error: BatchError) -> Refusal {
        Refusal {
            code: faults::batch(&error),
            // Kafka leaves the words for what is too large to the client.
            message: match error {
                BatchError::TooLarge { .. } => None,
                _ => super::text(error.to_string()),
            },
            records: faults::records(&error),
        }
    }

    fn answer(self, index: i32) -> PartitionProduceResponse {
        PartitionProduceResponse {
            index,
            error_code: self.code,
            base_offset: -1,
            log_append_time_ms: -1,
            log_start_offset: -1,
            record_errors: self.records,
            error_message: self.message,
            ..PartitionProduceResponse::default()
        }
    }
}
