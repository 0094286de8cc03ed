//! SyncGroup (14): the leader hands out the assignment, every member gets its share.
//!
//! Versions 0–5: 3 brings static members, 5 the protocol that the client takes for the group's, which it must name from then on. The answer comes when the
//! leader has spoken and the assignment is written down.

use super::{Asked, Handled, faults, groups};
use crate::coordinator::group::{GroupAnswer, GroupRequest, SyncRequest};
use crate::wire::messages::sync_group::{SyncGroupRequest, SyncGroupResponse};
use crate::wire::{ApiKey, ErrorCode};

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: SyncGroupRequest = asked.decode()?;
    let names_both = request.protocol_type.is_some() && request.protocol_name.is_some();
    if asked.version() >= 5 && !names_both {
        let response = refused(ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
        return Ok(asked.answer(ApiKey::SyncGroup, &response));
    }
    let sync = GroupRequest::Sync(sync(&request));
    let response = match groups::ask(asked, &request.group_id, sync).await? {
        Ok(GroupAnswer::Sync(Ok(synced))) => SyncGroupResponse {
            protocol_type: super::text(synced.protocol_type),
            protocol_name: super::text(synced.protocol_name),
            assignment: synced.assignment,
            ..SyncGroupResponse::default()
        },
        Ok(GroupAnswer::Sync(Err(error))) => refused(faults::group(error)),
        Ok(other) => unreachable!("a sync was answered with {other:?}"),
        // The member is to join again: that is what a coordinator that loads would have it do.
        Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS) => refused(ErrorCode::REBALANCE_IN_PROGRESS),
        Err(code) => refused(code),
    };
    Ok(asked.answer(ApiKey::SyncGroup, &response))
}

fn sync(request: &SyncGroupRequest) -> SyncRequest {
    SyncRequest {
        claim: groups::claim(
            &request.group_id,
            &request.member_id,
            request.group_instance_id.as_ref(),
            request.generation_id,
        ),
        protocol_type: groups::owned(request.protocol_type.as_ref()),
        protocol_name: groups::owned(request.protocol_name.as_ref()),
        assignments: request
            .assignments
            .iter()
            .map(|share| (share.member_id.to_string(), groups::kept(&share.assignment)))
            .collect(),
    }
}

fn refused(error_code: ErrorCode) -> SyncGroupResponse {
    SyncGroupResponse {
        error_code,
        ..SyncGroupResponse::default()
    }
}
