//! DescribeTransactions (65) and ListTransactions (66): the transactions that this broker coordinates.
//!
//! DescribeTransactions has version 0; ListTransactions 0–2: 1 can filter by duration, 2 by a pattern of ids. A state that nobody knows
//! is told and lets nothing pass, a pattern that is none is refused, as Kafka does.

use super::{Asked, Handled, faults, txn};
use crate::coordinator::transaction::{
    ListFilter, STATES, TransactionAnswer, TransactionDescription, TransactionListing,
    TransactionRequest,
};
use crate::wire::messages::describe_transactions::{
    DescribeTransactionsRequest, DescribeTransactionsResponse, TopicData, TransactionState,
};
use crate::wire::messages::list_transactions::{
    self, ListTransactionsRequest, ListTransactionsResponse,
};
use crate::wire::{ApiKey, ErrorCode, Text};
use regex_lite::{Regex, RegexBuilder};
use std::collections::BTreeMap;

/// What a compiled pattern may take: more than any list of ids needs, less than a hostile client wants.
const MAX_PATTERN_BYTES: usize = 1 << 20;

pub(super) async fn describe(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: DescribeTransactionsRequest = asked.decode()?;
    let mut response = DescribeTransactionsResponse::default();
    for id in request.transactional_ids {
        let described = described(asked, &id).await;
        let state = match described {
            Ok(transaction) => told(transaction),
            Err(error_code) => TransactionState {
                error_code,
                ..TransactionState::default()
            },
        };
        response.transaction_states.push(TransactionState {
            transactional_id: id,
            ..state
        });
    }
    Ok(asked.answer(ApiKey::DescribeTransactions, &response))
}

async fn described(asked: &Asked<'_>, id: &Text) -> Result<TransactionDescription, ErrorCode> {
    if id.is_empty() {
        return Err(ErrorCode::INVALID_REQUEST);
    }
    let request = TransactionRequest::Describe {
        transactional_id: id.to_string(),
    };
    match txn::ask(asked, id, request).await? {
        TransactionAnswer::Described(described) => described.map_err(faults::transaction),
        other => unreachable!("a description was answered with {other:?}"),
    }
}

fn told(transaction: TransactionDescription) -> TransactionState {
    let mut topics: BTreeMap<String, Vec<i32>> = BTreeMap::new();
    for (topic, partition) in transaction.partitions {
        topics.entry(topic).or_default().push(partition);
    }
    let topic = |(topic, partitions)| TopicData {
        topic: Text::from(topic),
        partitions,
    };
    TransactionState {
        transaction_state: Text::from_static(transaction.state),
        transaction_timeout_ms: transaction.timeout_ms,
        transaction_start_time_ms: transaction.started,
        producer_id: transaction.producer.id,
        producer_epoch: transaction.producer.epoch,
        topics: topics.into_iter().map(topic).collect(),
        ..TransactionState::default()
    }
}

pub(super) async fn list(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: ListTransactionsRequest = asked.decode()?;
    let mut response = ListTransactionsResponse::default();
    let pattern = request.transactional_id_pattern.as_deref();
    let Ok(pattern) = pattern
        .filter(|text| !text.is_empty())
        .map(whole)
        .transpose()
    else {
        response.error_code = ErrorCode::INVALID_REGULAR_EXPRESSION;
        return Ok(asked.answer(ApiKey::ListTransactions, &response));
    };
    let known = |state: &&Text| STATES.contains(&state.as_str());
    let unknown = request.state_filters.iter().filter(|state| !known(state));
    response.unknown_state_filters = unknown.cloned().collect();
    let filter = ListFilter {
        states: request
            .state_filters
            .iter()
            .map(ToString::to_string)
            .collect(),
        producer_ids: request.producer_id_filters.iter().copied().collect(),
        longer_than_ms: Some(request.duration_filter).filter(|&least| least >= 0),
        pattern,
    };
    let shard = &asked.context.shard;
    let transactions = match asked.nodes().only_this_core() {
        true => shard.list_transactions_here(filter).await,
        false => shard.list_transactions(filter).await,
    };
    match transactions {
        Ok(found) => response.transaction_states = found.into_iter().map(listed).collect(),
        Err(fault) => response.error_code = faults::coordinator(&fault),
    }
    Ok(asked.answer(ApiKey::ListTransactions, &response))
}

/// A pattern that must match an id as a whole.
fn whole(pattern: &str) -> Result<Regex, regex_lite::Error> {
    // By itself first: it must not close our group.
    RegexBuilder::new(pattern)
        .size_limit(MAX_PATTERN_BYTES)
        .build()?;
    RegexBuilder::new(&format!("^(?:{pattern})$"))
        .size_limit(MAX_PATTERN_BYTES)
        .build()
}

fn listed(transaction: TransactionListing) -> list_transactions::TransactionState {
    list_transactions::TransactionState {
        transactional_id: Text::from(transaction.transactional_id),
        producer_id: transaction.producer_id,
        transaction_state: Text::from_static(transaction.state),
    }
}
