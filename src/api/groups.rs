//! What the files of the group APIs share: from the wire to the group's words, and to its coordinator.

use super::{Asked, Handled, faults};
use crate::coordinator::group::{GroupAnswer, GroupRequest, MemberClaim};
use crate::wire::{ErrorCode, Text};
use bytes::Bytes;
use futures_lite::future::{or, pending};

/// What may be done with a group, as bits of Kafka's AclOperation: read, delete, describe, describe and alter configs.
pub(super) const GROUP_OPERATIONS: i32 = 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11;

/// Asks the group's coordinator, for as long as the client is there.
///
/// # Errors
/// Inside, the code where there is no coordinator now. Outside, the connection closes: nobody waits for the answer.
pub(super) async fn ask(
    asked: &Asked<'_>,
    group: &str,
    request: GroupRequest,
) -> Result<Result<GroupAnswer, ErrorCode>, Handled> {
    let may_be_nameless = matches!(
        request,
        GroupRequest::Commit(_) | GroupRequest::FetchOffsets(_)
    );
    if group.is_empty() && !may_be_nameless {
        return Ok(Err(ErrorCode::INVALID_GROUP_ID));
    }
    let answer = async { Some(asked.context.shard.group(group, request).await) };
    let gone = async {
        asked.client.gone.wait().await;
        if asked.context.shard.is_draining() {
            // It is the broker that reads no more; the coordinators answer everyone before they go.
            pending::<()>().await;
        }
        None
    };
    match or(answer, gone).await {
        Some(outcome) => Ok(outcome.map_err(|fault| faults::coordinator(&fault))),
        None => Err(Handled::close(
            asked.client,
            "it left before its group answered",
        )),
    }
}

/// Who says it.
pub(super) fn claim(
    group: &Text,
    member: &Text,
    instance: Option<&Text>,
    generation: i32,
) -> MemberClaim {
    MemberClaim {
        group: group.to_string(),
        member_id: member.to_string(),
        instance_id: owned(instance),
        generation,
    }
}

/// A text that outlives its frame.
pub(super) fn owned(text: Option<&Text>) -> Option<String> {
    text.map(ToString::to_string)
}

/// Bytes that do not keep their frame.
pub(super) fn kept(bytes: &Bytes) -> Bytes {
    Bytes::copy_from_slice(bytes)
}
