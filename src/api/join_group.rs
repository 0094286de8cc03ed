//! JoinGroup (11): a client becomes a member, or says that it still wants to be one.
//!
//! Versions 0–9: in 0 the session timeout is the rebalance timeout too, from 4 on a new member is told its id first and comes back
//! with it, 9 lets a leader keep the assignment there is. The answer comes when the rebalance is over; what the client
//! sends meanwhile on this connection waits.

use super::{Asked, Handled, faults, groups};
use crate::coordinator::group::{GroupAnswer, GroupRequest, JoinRefusal, JoinRequest, Joined};
use crate::wire::messages::join_group::{
    JoinGroupRequest, JoinGroupResponse, JoinGroupResponseMember,
};
use crate::wire::{ApiKey, ErrorCode, Text};
use uuid::Uuid;

const REBALANCE_TIMEOUT_FROM: i16 = 1;
const KNOWN_MEMBER_ID_FROM: i16 = 4;
const SKIP_ASSIGNMENT_FROM: i16 = 9;

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: JoinGroupRequest = asked.decode()?;
    let join = GroupRequest::Join(join(asked, &request));
    let response = match groups::ask(asked, &request.group_id, join).await? {
        Ok(GroupAnswer::Join(Ok(joined))) => member(joined),
        Ok(GroupAnswer::Join(Err(JoinRefusal { error, member_id }))) => {
            refused(faults::group(error), Text::from(member_id))
        }
        Ok(other) => unreachable!("a join was answered with {other:?}"),
        Err(code) => refused(code, request.member_id.clone()),
    };
    Ok(asked.answer(ApiKey::JoinGroup, &response))
}

fn join(asked: &Asked<'_>, request: &JoinGroupRequest) -> JoinRequest {
    let version = asked.version();
    let client_id = asked.header.client_id.as_ref();
    JoinRequest {
        group: request.group_id.to_string(),
        member_id: request.member_id.to_string(),
        instance_id: groups::owned(request.group_instance_id.as_ref()),
        client_id: groups::owned(client_id).unwrap_or_default(),
        client_host: format!("/{}", asked.client.peer.ip()),
        session_timeout_ms: request.session_timeout_ms,
        rebalance_timeout_ms: if version < REBALANCE_TIMEOUT_FROM {
            request.session_timeout_ms
        } else {
            request.rebalance_timeout_ms
        },
        protocol_type: request.protocol_type.to_string(),
        protocols: request
            .protocols
            .iter()
            .map(|protocol| (protocol.name.to_string(), groups::kept(&protocol.metadata)))
            .collect(),
        must_know_its_id: version >= KNOWN_MEMBER_ID_FROM && request.group_instance_id.is_none(),
        may_skip_assignment: version >= SKIP_ASSIGNMENT_FROM,
        reason: groups::owned(request.reason.as_ref()),
        fresh_id: Uuid::new_v4(),
    }
}

fn member(joined: Joined) -> JoinGroupResponse {
    JoinGroupResponse {
        generation_id: joined.generation,
        protocol_type: super::text(joined.protocol_type),
        protocol_name: super::text(joined.protocol_name),
        leader: Text::from(joined.leader),
        skip_assignment: joined.skip_assignment,
        member_id: Text::from(joined.member_id),
        members: joined
            .members
            .into_iter()
            .map(|member| JoinGroupResponseMember {
                member_id: Text::from(member.member_id),
                group_instance_id: member.instance_id.map(Text::from),
                metadata: member.metadata,
            })
            .collect(),
        ..JoinGroupResponse::default()
    }
}

fn refused(error_code: ErrorCode, member_id: Text) -> JoinGroupResponse {
    JoinGroupResponse {
        error_code,
        member_id,
        ..JoinGroupResponse::default()
    }
}
