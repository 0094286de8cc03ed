//! DescribeGroups (15): members and assignments of groups.
//!
//! Versions 0–6: 3 asks for authorized operations, 4 tells static members. A group that is not there is `Dead` and no error, from 6
//! on GROUP_ID_NOT_FOUND.

use super::{Asked, Handled, faults, groups};
use crate::coordinator::group::{
    GroupAnswer, GroupDescription, GroupError, GroupRequest, MemberDescription,
};
use crate::wire::messages::describe_groups::{
    DescribeGroupsRequest, DescribeGroupsResponse, DescribedGroup, DescribedGroupMember,
};
use crate::wire::{ApiKey, ErrorCode, Text};

const NOT_FOUND_FROM: i16 = 6;
const DEAD: &str = "Dead";

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: DescribeGroupsRequest = asked.decode()?;
    let mut response = DescribeGroupsResponse::default();
    for group in &request.groups {
        let describe = GroupRequest::Describe {
            group: group.to_string(),
        };
        let mut described = match groups::ask(asked, group, describe).await? {
            Ok(GroupAnswer::Describe(Ok(description))) => described(description),
            Ok(GroupAnswer::Describe(Err(GroupError::GroupIdNotFound))) => {
                not_found(group, asked.version())
            }
            Ok(GroupAnswer::Describe(Err(error))) => refused(faults::group(error)),
            Ok(other) => unreachable!("a description was answered with {other:?}"),
            Err(code) => refused(code),
        };
        described.group_id = group.clone();
        if request.include_authorized_operations && described.error_code == ErrorCode::NONE {
            described.authorized_operations = groups::GROUP_OPERATIONS;
        }
        response.groups.push(described);
    }
    Ok(asked.answer(ApiKey::DescribeGroups, &response))
}

fn described(description: GroupDescription) -> DescribedGroup {
    DescribedGroup {
        group_state: Text::from(description.state),
        protocol_type: Text::from(description.protocol_type),
        protocol_data: Text::from(description.protocol),
        members: description.members.into_iter().map(member).collect(),
        ..DescribedGroup::default()
    }
}

fn member(member: MemberDescription) -> DescribedGroupMember {
    DescribedGroupMember {
        member_id: Text::from(member.member_id),
        group_instance_id: member.instance_id.map(Text::from),
        client_id: Text::from(member.client_id),
        client_host: Text::from(member.client_host),
        member_metadata: member.metadata,
        member_assignment: member.assignment,
    }
}

fn not_found(group: &Text, version: i16) -> DescribedGroup {
    let mut dead = DescribedGroup {
        group_state: Text::from(DEAD),
        ..DescribedGroup::default()
    };
    if version >= NOT_FOUND_FROM {
        dead.error_code = ErrorCode::GROUP_ID_NOT_FOUND;
        dead.error_message = super::text(format!("Group {group} not found."));
    }
    dead
}

fn refused(error_code: ErrorCode) -> DescribedGroup {
    DescribedGroup {
        error_code,
        ..DescribedGroup::default()
    }
}
