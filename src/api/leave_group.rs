//! LeaveGroup (13): members leave, or are put out.
//!
//! Versions 0–5: one member before 3, then several, static ones by their instance id; 5 says why.

use super::{Asked, Handled, faults, groups};
use crate::coordinator::group::{
    GroupAnswer, GroupError, GroupRequest, LeaveRequest, LeavingMember,
};
use crate::wire::messages::leave_group::{LeaveGroupRequest, LeaveGroupResponse, MemberResponse};
use crate::wire::{ApiKey, ErrorCode};

const SEVERAL_FROM: i16 = 3;

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: LeaveGroupRequest = asked.decode()?;
    let leave = GroupRequest::Leave(LeaveRequest {
        group: request.group_id.to_string(),
        members: leaving(&request, asked.version()),
    });
    let mut response = LeaveGroupResponse::default();
    match groups::ask(asked, &request.group_id, leave).await? {
        Ok(GroupAnswer::Leave(Ok(left))) => tell(&mut response, &request, &left, asked.version()),
        Ok(GroupAnswer::Leave(Err(error))) => response.error_code = faults::group(error),
        Ok(other) => unreachable!("a leave was answered with {other:?}"),
        Err(code) => response.error_code = code,
    }
    Ok(asked.answer(ApiKey::LeaveGroup, &response))
}

fn leaving(request: &LeaveGroupRequest, version: i16) -> Vec<LeavingMember> {
    if version < SEVERAL_FROM {
        return vec![LeavingMember {
            member_id: request.member_id.to_string(),
            ..LeavingMember::default()
        }];
    }
    let members = request.members.iter();
    members
        .map(|member| LeavingMember {
            member_id: member.member_id.to_string(),
            instance_id: groups::owned(member.group_instance_id.as_ref()),
            reason: groups::owned(member.reason.as_ref()),
        })
        .collect()
}

fn tell(
    response: &mut LeaveGroupResponse,
    request: &LeaveGroupRequest,
    left: &[Result<(), GroupError>],
    version: i16,
) {
    let code =
        |outcome: &Result<(), GroupError>| outcome.map_or_else(faults::group, |()| ErrorCode::NONE);
    if version < SEVERAL_FROM {
        response.error_code = left.first().map_or(ErrorCode::NONE, code);
        return;
    }
    response.members = request
        .members
        .iter()
        .zip(left)
        .map(|(member, outcome)| MemberResponse {
            member_id: member.member_id.clone(),
            group_instance_id: member.group_instance_id.clone(),
            error_code: code(outcome),
        })
        .collect();
}
