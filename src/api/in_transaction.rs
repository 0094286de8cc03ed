//! Whether a producer may write to partitions in its transaction: its coordinator must know of each of them before anything is
//! written there, or no marker would ever come (KIP-890).
//!
//! A partition in which the transaction is open need not be asked about again, so the coordinator hears of a partition once a
//! transaction. Newer producers leave it to the broker to add partitions; older ones have added them, and that is verified.

use super::{Asked, txn};
use crate::coordinator::transaction::ProducerClaim;
use crate::shard::{PartitionQuestion, Question, Reply};
use crate::types::PartitionKey;
use crate::wire::ErrorCode;
use std::time::{Duration, Instant};

/// The first pause before a coordinator is asked again that is still at the end of the transaction before; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(1);

/// A partition that is to be written to.
pub(super) struct Part {
    /// Its topic's name and its index.
    pub partition: (String, i32),
    /// Which it is.
    pub key: PartitionKey,
}

/// What the request's version implies.
#[derive(Clone, Copy)]
pub(super) struct Dialect {
    /// The broker adds partitions.
    pub adds: bool,
    /// The client knows TRANSACTION_ABORTABLE.
    pub knows_abortable: bool,
}

/// Outcomes in the order of the parts.
pub(super) async fn admit(
    asked: &Asked<'_>,
    claim: &ProducerClaim,
    parts: Vec<Part>,
    dialect: Dialect,
) -> Vec<Result<(), ErrorCode>> {
    let mut outcomes = vec![Ok(()); parts.len()];
    let verifies = asked.context.shard.live().transactions.verify_partitions;
    if !dialect.adds && !verifies {
        return outcomes;
    }
    let mut places = Vec::new();
    for (place, open) in are_open(asked, claim, &parts).await.into_iter().enumerate() {
        if !open {
            places.push(place);
        }
    }
    if places.is_empty() {
        return outcomes;
    }
    let partition = |&place: &usize| parts[place].partition.clone();
    let partitions: Vec<_> = places.iter().map(partition).collect();
    let decided = if dialect.adds {
        let added = add_patiently(asked, claim, &partitions).await;
        added.map(|()| vec![Ok(()); partitions.len()])
    } else {
        txn::verify(asked, claim.clone(), partitions).await
    };
    match decided {
        Ok(each) => {
            for (&place, outcome) in places.iter().zip(each) {
                outcomes[place] = outcome.map_err(|code| as_known(code, dialect));
            }
        }
        Err(code) => {
            for &place in &places {
                outcomes[place] = Err(as_known(code, dialect));
            }
        }
    }
    outcomes
}

/// Whether the transaction is open in each part. Where the partition cannot tell, its append will say why.
async fn are_open(asked: &Asked<'_>, claim: &ProducerClaim, parts: &[Part]) -> Vec<bool> {
    let producer = claim.producer;
    let question = |part: &Part| PartitionQuestion {
        key: part.key,
        question: Question::HasOpenTransaction(producer.id, producer.epoch),
    };
    let questions = parts.iter().map(question).collect();
    let replies = asked.context.shard.ask_partitions(questions).await;
    let open = |reply| matches!(reply, Ok(Reply::HasOpenTransaction(true)));
    replies.into_iter().map(open).collect()
}

/// Adds partitions, and waits a little for a coordinator that still ends the transaction before.
async fn add_patiently(
    asked: &Asked<'_>,
    claim: &ProducerClaim,
    partitions: &[(String, i32)],
) -> Result<(), ErrorCode> {
    let config = asked.context.shard.live().transactions;
    let began = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let added = txn::add(asked, claim.clone(), partitions.to_vec()).await;
        let busy = added == Err(ErrorCode::CONCURRENT_TRANSACTIONS);
        if !busy || began.elapsed() >= config.add_patience {
            return added;
        }
        glommio::timer::sleep(pause.min(config.add_pause)).await;
        pause *= 2;
    }
}

/// The code as a producer of this dialect knows it. What passes by itself becomes a code that makes every client try again, and
/// does not make it look for another leader.
fn as_known(code: ErrorCode, dialect: Dialect) -> ErrorCode {
    match code {
        ErrorCode::PRODUCER_FENCED => ErrorCode::INVALID_PRODUCER_EPOCH,
        ErrorCode::TRANSACTION_ABORTABLE if !dialect.knows_abortable => {
            ErrorCode::INVALID_TXN_STATE
        }
        ErrorCode::CONCURRENT_TRANSACTIONS if dialect.adds => code,
        ErrorCode::CONCURRENT_TRANSACTIONS
        | ErrorCode::COORDINATOR_LOAD_IN_PROGRESS
        | ErrorCode::COORDINATOR_NOT_AVAILABLE
        | ErrorCode::NOT_COORDINATOR => ErrorCode::NOT_ENOUGH_REPLICAS,
        code => code,
    }
}
