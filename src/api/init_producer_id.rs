//! InitProducerId (22): who an idempotent or transactional producer is.
//!
//! Versions 0–5: 2 is flexible, 3 lets a producer name the id and epoch it has, to go on with a higher epoch, 4 knows PRODUCER_FENCED.
//! With a transactional id its coordinator decides, and fences whoever had it before. Without one any id will do that nobody has had.

use super::{Asked, Handled, faults, txn};
use crate::coordinator::Producer;
use crate::coordinator::transaction::{InitializeRequest, TransactionAnswer, TransactionRequest};
use crate::wire::messages::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use crate::wire::{ApiKey, ErrorCode};

const FENCED_FROM: i16 = 4;

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: InitProducerIdRequest = asked.decode()?;
    let mut response = InitProducerIdResponse {
        producer_id: -1,
        producer_epoch: -1,
        ..InitProducerIdResponse::default()
    };
    match producer(asked, &request).await {
        Ok(producer) => {
            response.producer_id = producer.id;
            response.producer_epoch = producer.epoch;
        }
        Err(code) => response.error_code = txn::as_known(code, asked.version(), FENCED_FROM),
    }
    Ok(asked.answer(ApiKey::InitProducerId, &response))
}

async fn producer(
    asked: &Asked<'_>,
    request: &InitProducerIdRequest,
) -> Result<Producer, ErrorCode> {
    let before = match (request.producer_id, request.producer_epoch) {
        (-1, -1) => None,
        (-1, _) | (_, -1) => return Err(ErrorCode::INVALID_REQUEST),
        (id, epoch) => Some(Producer { id, epoch }),
    };
    let Some(transactional_id) = &request.transactional_id else {
        // An idempotent producer that lost track starts over with a new id; that is always safe.
        let id = asked.context.shard.producer_id().await;
        let id = id.map_err(|error| faults::change(&error))?;
        return Ok(Producer { id, epoch: 0 });
    };
    if transactional_id.is_empty() {
        return Err(ErrorCode::INVALID_REQUEST);
    }
    let initialize = TransactionRequest::Initialize(InitializeRequest {
        transactional_id: transactional_id.to_string(),
        timeout_ms: request.transaction_timeout_ms,
        before,
    });
    match txn::ask(asked, transactional_id, initialize).await? {
        TransactionAnswer::Initialized(outcome) => outcome.map_err(faults::transaction),
        other => unreachable!("a producer's beginning was answered with {other:?}"),
    }
}
