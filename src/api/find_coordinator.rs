//! FindCoordinator (10): who coordinates a group or a transaction.
//!
//! Versions 0–6; from 4 on several keys at once. Groups are coordinated here, and `__consumer_offsets` is made when somebody
//! asks for the first. Transactions and share groups are not served, and the answer says so in words
//! (COORDINATOR_NOT_AVAILABLE, which clients take as "not now").

use super::{Asked, Handled, faults};
use crate::shard::LEADER;
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
        GROUP => ready(asked).await,
        TRANSACTION => Err((
            ErrorCode::COORDINATOR_NOT_AVAILABLE,
            super::text(
                "This broker has no transaction coordinator: transactions are not served yet.",
            ),
        )),
        SHARE if asked.version() >= SHARE_FROM => Err((
            ErrorCode::COORDINATOR_NOT_AVAILABLE,
            super::text("This broker has no share coordinator: share groups are not served."),
        )),
        unknown => Err((
            ErrorCode::INVALID_REQUEST,
            super::text(format!("Unknown coordinator type {unknown}")),
        )),
    };
    let coordinator = |key: &Text| coordinator(asked, key, &found);
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

/// Groups have their topic.
async fn ready(asked: &Asked<'_>) -> Result<(), Missing> {
    let made = asked.context.shard.need_offsets_topic().await;
    made.map_err(|error| {
        log::error!("consumer groups have no topic: {error}");
        match faults::change(&error) {
            ErrorCode::KAFKA_STORAGE_ERROR => (ErrorCode::COORDINATOR_NOT_AVAILABLE, None),
            code => (code, super::text(error.to_string())),
        }
    })
}

/// The node that has the key's coordinator, as the client's listener names it.
fn coordinator(asked: &Asked<'_>, key: &Text, found: &Result<(), Missing>) -> Coordinator {
    match found {
        Ok(()) => {
            let owner = asked.context.shard.group_owner(key).unwrap_or(LEADER);
            let node = asked.nodes().at_core(owner);
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
