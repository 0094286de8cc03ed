//! DescribeTransactions (65) and ListTransactions (66): there are none.
//!
//! DescribeTransactions has version 0; ListTransactions 0–2: 1 can filter by duration, 2 by a pattern of ids. What the filters ask
//! for cannot be wrong where nothing is filtered, but a state that nobody knows is told, and a pattern that is none, as Kafka does.

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
    let mut unknown = request.state_filters;
    unknown.retain(|state| !STATES.contains(&state.as_str()));
    let pattern = request.transactional_id_pattern.unwrap_or_default();
    let response = ListTransactionsResponse {
        error_code: match regex_lite::Regex::new(&pattern) {
            Ok(_) => ErrorCode::NONE,
            Err(_) => ErrorCode::INVALID_REGULAR_EXPRESSION,
        },
        unknown_state_filters: unknown,
        ..ListTransactionsResponse::default()
    };
    Ok(asked.answer(ApiKey::ListTransactions, &response))
}
