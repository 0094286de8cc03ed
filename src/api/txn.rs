//! What the files of the transaction APIs share: from the wire to the coordinator's words, and to the coordinator.

use super::{Asked, faults};
use crate::coordinator::Producer;
use crate::coordinator::transaction::{ProducerClaim, TransactionAnswer, TransactionRequest};
use crate::wire::{ErrorCode, Text};

/// Asks the coordinator of a transactional id.
///
/// # Errors
/// The code where there is no coordinator now.
pub(super) async fn ask(
    asked: &Asked<'_>,
    transactional_id: &str,
    request: TransactionRequest,
) -> Result<TransactionAnswer, ErrorCode> {
    let outcome = asked.context.shard.transaction(transactional_id, request);
    outcome.await.map_err(|fault| faults::coordinator(&fault))
}

/// Adds partitions to a transaction.
///
/// # Errors
/// The code, as new clients know it.
pub(super) async fn add(
    asked: &Asked<'_>,
    claim: ProducerClaim,
    partitions: Vec<(String, i32)>,
) -> Result<(), ErrorCode> {
    let id = claim.transactional_id.clone();
    match ask(asked, &id, TransactionRequest::Add(claim, partitions)).await? {
        TransactionAnswer::Added(outcome) => outcome.map_err(faults::transaction),
        other => unreachable!("partitions for a transaction were answered with {other:?}"),
    }
}

/// Which of the partitions a transaction has; in their order.
///
/// # Errors
/// The code if nothing can be said of any, as new clients know it.
pub(super) async fn verify(
    asked: &Asked<'_>,
    claim: ProducerClaim,
    partitions: Vec<(String, i32)>,
) -> Result<Vec<Result<(), ErrorCode>>, ErrorCode> {
    let id = claim.transactional_id.clone();
    match ask(asked, &id, TransactionRequest::Verify(claim, partitions)).await? {
        TransactionAnswer::Verified(outcomes) => {
            let outcomes = outcomes.map_err(faults::transaction)?;
            let coded = |outcome: Result<(), _>| outcome.map_err(faults::transaction);
            Ok(outcomes.into_iter().map(coded).collect())
        }
        other => unreachable!("a verification was answered with {other:?}"),
    }
}

/// Who says it.
pub(super) fn claim(transactional_id: &Text, producer_id: i64, epoch: i16) -> ProducerClaim {
    ProducerClaim {
        transactional_id: transactional_id.to_string(),
        producer: Producer {
            id: producer_id,
            epoch,
        },
    }
}

/// Before version `from` of the request clients know of a fenced producer only as one whose epoch is old.
pub(super) fn as_known(code: ErrorCode, version: i16, from: i16) -> ErrorCode {
    match code {
        ErrorCode::PRODUCER_FENCED if version < from => ErrorCode::INVALID_PRODUCER_EPOCH,
        code => code,
    }
}

/// The code of an outcome.
pub(super) fn code<T>(outcome: Result<T, ErrorCode>) -> ErrorCode {
    outcome.err().unwrap_or(ErrorCode::NONE)
}
