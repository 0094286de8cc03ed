//! DescribeTransactions (65) and ListTransactions (66): there are none.
//!
//! DescribeTransactions has version 0; ListTransactions 0–2: 1 can filter by duration, 2 by a pattern of ids. What the filters ask
//! for cannot be wrong where nothing is filtered, but a state that nobody knows is told and a pattern that is none is refused, as Kafka does.

use super::{Asked, Handled};
use crate::wire::messages::describe_transactions::{
    DescribeTransactionsRequest, DescribeTransactionsResponse, TransactionState,
};
use crate::wire::messages::list_transactions::{ListTransactionsRequest, ListTransactionsResponse};
use crate::wire::{ApiKey, ErrorCode, Text};

/// The states of Kafka's transaction coordinator, by its names for them.
const STATES: [&str; 8] = [
    "Empty",
    "Ongoing",
    "PrepareCommit",
    "PrepareAbort",
    "CompleteCommit",
    "CompleteAbort",
    "Dead",
    "PrepareEpochFence",
];

/// What a compiled pattern may take: more than any list of ids needs, less than a hostile client wants.
const MAX_PATTERN_BYTES: usize = 1 << 20;

pub(super) fn describe(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: DescribeTransactionsRequest = asked.decode()?;
    let unknown = |id: Text| TransactionState {
        error_code: if id.is_empty() {
            ErrorCode::INVALID_REQUEST
        } else {
            ErrorCode::TRANSACTIONAL_ID_NOT_FOUND
        },
        transactional_id: id,
        ..TransactionState::default()
    };
    let response = DescribeTransactionsResponse {
        transaction_states: request.transactional_ids.into_iter().map(unknown).collect(),
        ..DescribeTransactionsResponse::default()
    };
    Ok(asked.answer(ApiKey::DescribeTransactions, &response))
}

pub(super) fn list(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: ListTransactionsRequest = asked.decode()?;
    let pattern = request.transactional_id_pattern.unwrap_or_default();
    let compiled = regex_lite::RegexBuilder::new(&pattern)
        .size_limit(MAX_PATTERN_BYTES)
        .build();
    if compiled.is_err() {
        let response = ListTransactionsResponse {
            error_code: ErrorCode::INVALID_REGULAR_EXPRESSION,
            ..ListTransactionsResponse::default()
        };
        return Ok(asked.answer(ApiKey::ListTransactions, &response));
    }
    let mut unknown = request.state_filters;
    unknown.retain(|state| !STATES.contains(&state.as_str()));
    let response = ListTransactionsResponse {
        unknown_state_filters: unknown,
        ..ListTransactionsResponse::default()
    };
    Ok(asked.answer(ApiKey::ListTransactions, &response))
}
