//! AddOffsetsToTxn (25): a group whose offsets a transaction commits.
//!
//! Versions 0–4: 2 knows PRODUCER_FENCED. What is added is the partition of `__consumer_offsets` that keeps the group's offsets, so
//! that it gets the transaction's marker like any other.

use super::{Asked, Handled, faults, txn};
use crate::metadata::topic_name::GROUP_METADATA_TOPIC;
use crate::wire::messages::add_offsets_to_txn::{AddOffsetsToTxnRequest, AddOffsetsToTxnResponse};
use crate::wire::{ApiKey, ErrorCode};

const FENCED_FROM: i16 = 2;

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: AddOffsetsToTxnRequest = asked.decode()?;
    let code = txn::code(add(asked, &request).await);
    let response = AddOffsetsToTxnResponse {
        error_code: txn::as_known(code, asked.version(), FENCED_FROM),
        ..AddOffsetsToTxnResponse::default()
    };
    Ok(asked.answer(ApiKey::AddOffsetsToTxn, &response))
}

async fn add(asked: &Asked<'_>, request: &AddOffsetsToTxnRequest) -> Result<(), ErrorCode> {
    let shard = &asked.context.shard;
    let made = shard.need_offsets_topic().await;
    made.map_err(|error| faults::change(&error))?;
    let partition = shard.offsets_partition(&request.group_id);
    let partition = partition.ok_or(ErrorCode::COORDINATOR_NOT_AVAILABLE)?;
    let claim = txn::claim(
        &request.transactional_id,
        request.producer_id,
        request.producer_epoch,
    );
    let partitions = vec![(GROUP_METADATA_TOPIC.to_owned(), partition)];
    txn::add(asked, claim, partitions).await
}
