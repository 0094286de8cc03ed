//! Heartbeat (12): a member is still there, and learns whether its generation is.
//!
//! Versions 0–4: 3 brings static members.

use super::{Asked, Handled, faults, groups};
use crate::coordinator::group::{GroupAnswer, GroupRequest};
use crate::wire::messages::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use crate::wire::{ApiKey, ErrorCode};

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: HeartbeatRequest = asked.decode()?;
    let claim = groups::claim(
        &request.group_id,
        &request.member_id,
        request.group_instance_id.as_ref(),
        request.generation_id,
    );
    let heard = groups::ask(asked, &request.group_id, GroupRequest::Heartbeat(claim)).await?;
    let error_code = match heard {
        Ok(GroupAnswer::Heartbeat(Ok(()))) => ErrorCode::NONE,
        Ok(GroupAnswer::Heartbeat(Err(error))) => faults::group(error),
        Ok(other) => unreachable!("a heartbeat was answered with {other:?}"),
        // Sessions begin anew when the group has been loaded: nothing is wrong with the member.
        Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS) => ErrorCode::NONE,
        Err(code) => code,
    };
    let response = HeartbeatResponse {
        error_code,
        ..HeartbeatResponse::default()
    };
    Ok(asked.answer(ApiKey::Heartbeat, &response))
}
