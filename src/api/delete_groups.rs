//! DeleteGroups (42): groups without members are forgotten, offsets and all.
//!
//! Versions 0–2.

use super::{Asked, Handled, faults, groups};
use crate::coordinator::group::{GroupAnswer, GroupRequest};
use crate::wire::messages::delete_groups::{
    DeletableGroupResult, DeleteGroupsRequest, DeleteGroupsResponse,
};
use crate::wire::{ApiKey, ErrorCode};

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: DeleteGroupsRequest = asked.decode()?;
    let mut response = DeleteGroupsResponse::default();
    for group in &request.groups_names {
        let delete = GroupRequest::Delete {
            group: group.to_string(),
        };
        let error_code = match groups::ask(asked, group, delete).await? {
            Ok(GroupAnswer::Delete(Ok(()))) => ErrorCode::NONE,
            Ok(GroupAnswer::Delete(Err(error))) => faults::group(error),
            Ok(other) => unreachable!("a deletion was answered with {other:?}"),
            Err(code) => code,
        };
        response.results.push(DeletableGroupResult {
            group_id: group.clone(),
            error_code,
        });
    }
    Ok(asked.answer(ApiKey::DeleteGroups, &response))
}
