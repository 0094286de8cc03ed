//! FindCoordinator (10): who coordinates a group or a transaction.
//!
//! Versions 0–6; from 4 on several keys at once. Groups and transactions are coordinated here, and the topics that keep their state
//! are made when somebody asks for the first. Share groups are not served, and the answer says so in words
//! (COORDINATOR_NOT_AVAILABLE, which clients take as "not now").

use super::{Asked, Handled, faults};
use crate::shard::{ChangeError, LEADER};
use crate::wire::messages::find_coordinator::{
    Coordinator, FindCoordinatorRequest, FindCoordinatorResponse,
};
use crate::wire::{ApiKey, ErrorCode, Text};

const BATCHED_FROM: i16 = 4;
const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;
const SHARE: i8 = 2;
const SHARE_FROM: i16 = 6;

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: FindCoordinatorRequest = asked.decode()?;
    let found = match request.key_type {
        GROUP => ready(asked.context.shard.need_offsets_topic().await),
        TRANSACTION => ready(asked.context.shard.need_transactions_topic().await),
        SHARE if asked.version() >= SHARE_FROM => Err((
            ErrorCode::COORDINATOR_NOT_AVAILABLE,
            super::text("This broker has no share coordinator: share groups are not served."),
        )),
        unknown => Err((
            ErrorCode::INVALID_REQUEST,
            super::text(format!("Unknown coordinator type {unknown}")),
        )),
    };
    let coordinator = |key: &Text| coordinator(asked, key, request.key_type, &found);
    let mut response = FindCoordinatorResponse::default();
    if asked.version() < BATCHED_FROM {
        let only = coordinator(&request.key);
        response.error_code = only.error_code;
        response.error_message = only.error_message;
        response.node_id = only.node_id;
        response.host = only.host;
        response.port = only.port;
    } else {
        response.coordinators = request.coordinator_keys.iter().map(coordinator).collect();
    }
    Ok(asked.answer(ApiKey::FindCoordinator, &response))
}

/// Why there is no coordinator.
type Missing = (ErrorCode, Option<Text>);

/// The coordinators have their topic.
fn ready(made: Result<(), ChangeError>) -> Result<(), Missing> {
    made.map_err(|error| {
        log::error!("there is no topic for coordinators: {error}");
        match faults::change(&error) {
            ErrorCode::KAFKA_STORAGE_ERROR => (ErrorCode::COORDINATOR_NOT_AVAILABLE, None),
            code => (code, super::text(error.to_string())),
        }
    })
}

/// The node that has the key's coordinator, as the client's listener names it.
fn coordinator(
    asked: &Asked<'_>,
    key: &Text,
    key_type: i8,
    found: &Result<(), Missing>,
) -> Coordinator {
    match found {
        Ok(()) => {
            let shard = &asked.context.shard;
            let owner = match key_type {
                TRANSACTION => shard.transaction_owner(key),
                _ => shard.group_owner(key),
            };
            let node = asked.nodes().at_core(owner.unwrap_or(LEADER));
            Coordinator {
                key: key.clone(),
                node_id: node.id,
                host: Text::from(node.endpoint.host.as_str()),
                port: i32::from(node.endpoint.port),
                ..Coordinator::default()
            }
        }
        Err((error_code, error_message)) => Coordinator {
            key: key.clone(),
            node_id: -1,
            port: -1,
            error_code: *error_code,
            error_message: error_message.clone(),
            ..Coordinator::default()
        },
    }
}
