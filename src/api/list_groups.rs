//! ListGroups (16): the groups that this broker coordinates.
//!
//! Versions 0–5: 4 filters by state, 5 by type. Clients ask every node: a core's own address tells the groups of that core.

use super::{Asked, Handled, faults};
use crate::coordinator::group::{GroupListing, ListFilter};
use crate::wire::messages::list_groups::{ListGroupsRequest, ListGroupsResponse, ListedGroup};
use crate::wire::{ApiKey, Text};

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: ListGroupsRequest = asked.decode()?;
    let texts = |texts: &[Text]| texts.iter().map(ToString::to_string).collect();
    let filter = ListFilter {
        states: texts(&request.states_filter),
        types: texts(&request.types_filter),
    };
    let mut response = ListGroupsResponse::default();
    let shard = &asked.context.shard;
    let groups = match asked.nodes().only_this_core() {
        true => shard.list_groups_here(filter).await,
        false => shard.list_groups(filter).await,
    };
    match groups {
        Ok(groups) => response.groups = groups.into_iter().map(listed).collect(),
        Err(fault) => response.error_code = faults::coordinator(&fault),
    }
    Ok(asked.answer(ApiKey::ListGroups, &response))
}

fn listed(group: GroupListing) -> ListedGroup {
    ListedGroup {
        group_id: Text::from(group.group),
        protocol_type: Text::from(group.protocol_type),
        group_state: Text::from(group.state),
        group_type: Text::from(group.group_type),
    }
}
