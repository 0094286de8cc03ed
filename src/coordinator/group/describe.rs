//! What a group looks like from outside.

use super::member::Member;
use super::state::{Group, State};
use super::{GroupDescription, GroupListing, ListFilter, MemberDescription};
use bytes::Bytes;

/// Kafka's name for groups of this protocol.
const CLASSIC: &str = "classic";

impl Group {
    /// The group in full; what the members agreed on only when they have.
    pub fn describe(&self) -> GroupDescription {
        let stable = self.state == State::Stable;
        let protocol = self
            .protocol
            .as_deref()
            .filter(|_| stable)
            .unwrap_or_default();
        let member = |member: &Member| MemberDescription {
            member_id: member.id.clone(),
            instance_id: member.instance_id.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            metadata: member.metadata(protocol).cloned().unwrap_or_default(),
            assignment: if stable {
                member.assignment.clone()
            } else {
                Bytes::new()
            },
        };
        GroupDescription {
            state: self.state.name(),
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            protocol: protocol.to_owned(),
            members: self.members.values().map(member).collect(),
        }
    }

    /// The group in a list, if it fits.
    pub fn listing(&self, filter: &ListFilter) -> Option<GroupListing> {
        let fits = |wanted: &[String], is: &str| {
            wanted.is_empty() || wanted.iter().any(|one| one.eq_ignore_ascii_case(is))
        };
        let listed = fits(&filter.states, self.state.name()) && fits(&filter.types, CLASSIC);
        listed.then(|| GroupListing {
            group: self.name.clone(),
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            state: self.state.name(),
            group_type: CLASSIC,
        })
    }
}
