//! DescribeTransactions (65) and ListTransactions (66): there are none.
//!
//! DescribeTransactions has version 0; ListTransactions 0–2: 1 can filter by duration, 2 by a pattern of ids. What the filters ask
//! for cannot be wrong where nothing is filtered, but a state that nobody knows is told, as Kafka does.

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
    let response = ListTransactionsResponse {
        unknown_state_filters: unknown,
        ..ListTransactionsResponse::default()
    };
    Ok(asked.answer(ApiKey::ListTransactions, &response))
}
