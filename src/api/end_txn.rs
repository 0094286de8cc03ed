//! EndTxn (26): a transaction is committed or aborted.
//!
//! Versions 0–5: 2 knows PRODUCER_FENCED, 5 brings the producer its next epoch. Answered when the decision is on the disk; the
//! markers follow, and meanwhile the transactional id takes nothing new (CONCURRENT_TRANSACTIONS).

use super::{Asked, Handled, faults, txn};
use crate::coordinator::transaction::{EndRequest, TransactionAnswer, TransactionRequest};
use crate::wire::ApiKey;
use crate::wire::messages::end_txn::{EndTxnRequest, EndTxnResponse};

const FENCED_FROM: i16 = 2;
const TAKES_EPOCH_FROM: i16 = 5;

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: EndTxnRequest = asked.decode()?;
    let id = &request.transactional_id;
    let end = EndRequest {
        claim: txn::claim(id, request.producer_id, request.producer_epoch),
        commit: request.committed,
        takes_epoch: asked.version() >= TAKES_EPOCH_FROM,
    };
    let outcome = match txn::ask(asked, id, TransactionRequest::End(end)).await {
        Ok(TransactionAnswer::Ended(outcome)) => outcome.map_err(faults::transaction),
        Ok(other) => unreachable!("the end of a transaction was answered with {other:?}"),
        Err(code) => Err(code),
    };
    let mut response = EndTxnResponse::default();
    match outcome {
        Ok(producer) => {
            response.producer_id = producer.id;
            response.producer_epoch = producer.epoch;
        }
        Err(code) => response.error_code = txn::as_known(code, asked.version(), FENCED_FROM),
    }
    Ok(asked.answer(ApiKey::EndTxn, &response))
}
