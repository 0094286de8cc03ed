//! FindCoordinator (10): who coordinates a group or a transaction.
//!
//! Versions 0–6; from 4 on several keys at once. Nobody does yet: consumer groups and transactions are not served, and the answer
//! says so in words (COORDINATOR_NOT_AVAILABLE, which clients take as "not now").

use super::{Asked, Handled};
use crate::wire::messages::find_coordinator::{
    Coordinator, FindCoordinatorRequest, FindCoordinatorResponse,
};
use crate::wire::{ApiKey, ErrorCode};

const BATCHED_FROM: i16 = 4;
const KNOWN_TYPES: std::ops::RangeInclusive<i8> = 0..=2;

pub(super) fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: FindCoordinatorRequest = asked.decode()?;
    let (error_code, error_message) = if KNOWN_TYPES.contains(&request.key_type) {
        (
            ErrorCode::COORDINATOR_NOT_AVAILABLE,
            super::text(
                "This broker has no coordinators: consumer groups and transactions are not served yet.",
            ),
        )
    } else {
        (
            ErrorCode::INVALID_REQUEST,
            super::text(format!("Unknown coordinator type {}", request.key_type)),
        )
    };
    let mut response = FindCoordinatorResponse::default();
    if asked.version() < BATCHED_FROM {
        response.error_code = error_code;
        response.error_message = error_message;
        response.node_id = -1;
        response.port = -1;
    } else {
        response.coordinators = request
            .coordinator_keys
            .iter()
            .map(|key| Coordinator {
                key: key.clone(),
                node_id: -1,
                port: -1,
                error_code,
                error_message: error_message.clone(),
                ..Coordinator::default()
            })
            .collect();
    }
    Ok(asked.answer(ApiKey::FindCoordinator, &response))
}
