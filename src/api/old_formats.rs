//! Message sets, which clients older than Kafka 0.11 speak: into record batches when they produce, out of them when they fetch.
//!
//! Converting leaves the core, since it inflates and copies; few conversions at a time, so that their memory is bounded. Nothing
//! here is on the way of clients that speak record batches.

use super::{Asked, Context, faults};
use crate::limits;
use crate::log::ReadPlan;
use crate::wire::ErrorCode;
use crate::wire::records::down_convert::down_convert;
use crate::wire::records::{BatchError, Codec, Scratch, batches, message_set};
use bytes::Bytes;
use std::rc::Rc;

/// Message sets of format 1 from this version of Fetch on.
const TIMESTAMPS_FROM: i16 = 2;
/// The byte that tells record batches from messages, and what it is in the former.
const MAGIC_AT: usize = 16;
const RECORD_BATCH: u8 = 2;

/// What an old producer sent as one record batch.
///
/// # Errors
/// What the set is refused for, as a batch would be.
pub(super) async fn up_converted(
    context: &Rc<Context>,
    records: &Bytes,
    max_message_bytes: u32,
) -> Result<Bytes, BatchError> {
    if records.get(MAGIC_AT) == Some(&RECORD_BATCH) {
        return Ok(records.clone());
    }
    check_size(records, max_message_bytes as usize)?;
    let _permit = context.inflating.acquire_permit(1).await.ok();
    let records = records.clone();
    glommio::executor()
        .spawn_blocking(move || {
            let mut scratch = Scratch::default();
            message_set::up_convert(&records, limits::CONVERTED_SET_BYTES, &mut scratch)
        })
        .await
}

/// `max.message.bytes` holds for a wrapper as it was sent, and again for the batch that it becomes.
fn check_size(records: &Bytes, max: usize) -> Result<(), BatchError> {
    let first = message_set::messages(records).next();
    let wrapped = matches!(&first, Some(Ok(message)) if message.codec != Codec::None);
    match records.len() {
        size if wrapped && size > max => Err(BatchError::TooLarge { size, max }),
        _ => Ok(()),
    }
}

/// What became of a plan.
pub(super) struct Converted {
    /// The messages.
    pub set: Bytes,
    /// The offset after what was read; `from` if that is not known.
    pub next: i64,
}

/// The records of a plan from `from` on, as the client's version has them; at most `max_bytes` but for the first.
///
/// # Errors
/// The code for the partition.
pub(super) async fn down_converted(
    asked: &Asked<'_>,
    plan: ReadPlan,
    from: i64,
    max_bytes: usize,
) -> Result<Converted, ErrorCode> {
    let _permit = asked.context.inflating.acquire_permit(1).await.ok();
    let data = plan.file.read_at(plan.position, plan.len as usize).await;
    let data = data.map_err(|error| {
        log::error!("a segment cannot be read: {error}");
        ErrorCode::KAFKA_STORAGE_ERROR
    })?;
    let magic = i8::from(asked.version() >= TIMESTAMPS_FROM);
    let converted = glommio::executor()
        .spawn_blocking(move || {
            let mut scratch = Scratch::default();
            let last = batches(data.clone()).last().and_then(Result::ok);
            let next = last.map_or(from, |batch| batch.header().next_offset().0);
            let set = down_convert(data, magic, from, max_bytes, &mut scratch)?;
            let set = Bytes::from(set);
            Ok(Converted { set, next })
        })
        .await;
    converted.map_err(|error: BatchError| faults::batch(&error))
}
