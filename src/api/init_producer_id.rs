//! InitProducerId (22): an id for an idempotent producer.
//!
//! Versions 0–5: 2 is flexible, 3 lets a producer name the id and epoch it has, to go on with a higher epoch. Ids come from the
//! metadata log in blocks, so that none is ever given twice; each core hands out its own block. Transactional ids are refused
//! as long as transactions are not served.

use super::{Asked, Handled};
use crate::shard::{Change, ChangeOutcome};
use crate::wire::messages::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use crate::wire::{ApiKey, ErrorCode};
use std::ops::Range;

/// Ids that this core may hand out.
#[derive(Debug, Default)]
pub struct IdBlock {
    left: Range<i64>,
}

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: InitProducerIdRequest = asked.decode()?;
    let mut response = InitProducerIdResponse {
        producer_id: -1,
        producer_epoch: -1,
        ..InitProducerIdResponse::default()
    };
    match identity(asked, &request).await {
        Ok((id, epoch)) => {
            response.producer_id = id;
            response.producer_epoch = epoch;
        }
        Err(code) => response.error_code = code,
    }
    Ok(asked.answer(ApiKey::InitProducerId, &response))
}

async fn identity(
    asked: &Asked<'_>,
    request: &InitProducerIdRequest,
) -> Result<(i64, i16), ErrorCode> {
    match request.transactional_id.as_deref() {
        Some("") => return Err(ErrorCode::INVALID_REQUEST),
        Some(_) => return Err(ErrorCode::COORDINATOR_NOT_AVAILABLE),
        None => {}
    }
    // An idempotent producer that lost track starts over with a new id; that is always safe.
    loop {
        if let Some(id) = asked.context.ids.borrow_mut().left.next() {
            return Ok((id, 0));
        }
        let outcome = asked
            .context
            .shard
            .change(Change::AllocateProducerIds)
            .await;
        let ChangeOutcome::ProducerIds(block) = outcome else {
            unreachable!("an allocation was answered with {outcome:?}")
        };
        let block = block.map_err(|error| super::faults::change(&error))?;
        asked.context.ids.borrow_mut().left = block;
    }
}
