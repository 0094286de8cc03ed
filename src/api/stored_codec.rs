//! `compression.type` of a topic: a batch in another codec is stored in the topic's.
//!
//! Recompressing leaves the core, since it inflates and compresses; few batches at a time, so that their memory is bounded. Nothing here is
//! on the way of topics that store batches as they were sent, which is the default.

use super::Context;
use crate::config::TopicConfig;
use crate::limits;
use crate::wire::records::{BatchError, Scratch, ValidatedBatch};
use std::rc::Rc;

/// The batch as the topic stores it.
///
/// # Errors
/// It is too large then, or inflates to more than is taken into memory for that.
pub(super) async fn as_the_topic_stores(
    context: &Rc<Context>,
    batch: ValidatedBatch,
    topic: &TopicConfig,
) -> Result<ValidatedBatch, BatchError> {
    let codec = match topic.compression {
        Some(codec) if codec != batch.codec => codec,
        _ => return Ok(batch),
    };
    let _permit = context.inflating.acquire_permit(1).await.ok();
    let recompressed = glommio::executor()
        .spawn_blocking(move || {
            let mut scratch = Scratch::default();
            batch.recompressed(codec, limits::CONVERTED_SET_BYTES, &mut scratch)
        })
        .await?;
    let (size, max) = (recompressed.bytes.len(), topic.max_message_bytes as usize);
    if size > max {
        return Err(BatchError::TooLarge { size, max });
    }
    Ok(recompressed)
}
