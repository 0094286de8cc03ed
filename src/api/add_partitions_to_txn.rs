//! AddPartitionsToTxn (24): partitions that a transaction is about to write to.
//!
//! Versions 0–5: 2 knows PRODUCER_FENCED, 4 brings several transactions and the question whether partitions are in them, 5 knows
//! TRANSACTION_ABORTABLE. The batched form is not for brokers alone: clients send it too. A partition that is not there fails
//! its whole transaction.

use super::{Asked, Handled, txn};
use crate::coordinator::transaction::ProducerClaim;
use crate::wire::messages::add_partitions_to_txn::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnRequest, AddPartitionsToTxnResponse,
    AddPartitionsToTxnResult, AddPartitionsToTxnTopic, AddPartitionsToTxnTopicResult,
};
use crate::wire::{ApiKey, ErrorCode};

const FENCED_FROM: i16 = 2;
const BATCHED_FROM: i16 = 4;
const ABORTABLE_FROM: i16 = 5;

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: AddPartitionsToTxnRequest = asked.decode()?;
    let mut response = AddPartitionsToTxnResponse::default();
    if asked.version() < BATCHED_FROM {
        let claim = txn::claim(
            &request.v3_and_below_transactional_id,
            request.v3_and_below_producer_id,
            request.v3_and_below_producer_epoch,
        );
        let topics = &request.v3_and_below_topics;
        response.results_by_topic_v3_and_below = results(asked, claim, topics, false).await;
    }
    for transaction in &request.transactions {
        let id = &transaction.transactional_id;
        let claim = txn::claim(id, transaction.producer_id, transaction.producer_epoch);
        let verify = transaction.verify_only;
        let result = AddPartitionsToTxnResult {
            transactional_id: id.clone(),
            topic_results: results(asked, claim, &transaction.topics, verify).await,
        };
        response.results_by_transaction.push(result);
    }
    Ok(asked.answer(ApiKey::AddPartitionsToTxn, &response))
}

async fn results(
    asked: &Asked<'_>,
    claim: ProducerClaim,
    topics: &[AddPartitionsToTxnTopic],
    verify_only: bool,
) -> Vec<AddPartitionsToTxnTopicResult> {
    let mut codes = outcomes(asked, claim, topics, verify_only)
        .await
        .into_iter();
    let mut partition = |&partition_index: &i32| AddPartitionsToTxnPartitionResult {
        partition_index,
        partition_error_code: as_known(codes.next().unwrap_or_default(), asked.version()),
    };
    let result = |topic: &AddPartitionsToTxnTopic| AddPartitionsToTxnTopicResult {
        name: topic.name.clone(),
        results_by_partition: topic.partitions.iter().map(&mut partition).collect(),
    };
    topics.iter().map(result).collect()
}

/// A code for each partition of each topic, in order.
async fn outcomes(
    asked: &Asked<'_>,
    claim: ProducerClaim,
    topics: &[AddPartitionsToTxnTopic],
    verify_only: bool,
) -> Vec<ErrorCode> {
    let image = asked.context.shard.image();
    let mut partitions = Vec::new();
    for topic in topics {
        let name = topic.name.as_str();
        partitions.extend(
            topic
                .partitions
                .iter()
                .map(|&index| (name.to_owned(), index)),
        );
    }
    let exists = |(name, index): &(String, i32)| {
        let topic = image.topic_by_name(name);
        topic.is_some_and(|topic| topic.partitions.contains_key(index))
    };
    if !partitions.iter().all(exists) {
        let code = |partition| match exists(partition) {
            true => ErrorCode::OPERATION_NOT_ATTEMPTED,
            false => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        };
        return partitions.iter().map(code).collect();
    }
    let count = partitions.len();
    if verify_only {
        return match txn::verify(asked, claim, partitions).await {
            Ok(outcomes) => outcomes.into_iter().map(txn::code).collect(),
            Err(code) => vec![code; count],
        };
    }
    vec![txn::code(txn::add(asked, claim, partitions).await); count]
}

fn as_known(code: ErrorCode, version: i16) -> ErrorCode {
    match code {
        ErrorCode::TRANSACTION_ABORTABLE if version < ABORTABLE_FROM => {
            ErrorCode::INVALID_TXN_STATE
        }
        code => txn::as_known(code, version, FENCED_FROM),
    }
}
