//! DescribeGroups and ListGroups.

use super::answer::{GroupDescription, GroupListing, MemberDescription};
use super::request::ListFilter;
use super::state::{Group, State};
use bytes::Bytes;

/// Kafka's name of the type that all these groups have.
const CLASSIC: &str = "classic";

impl Group {
    /// The group in full.
    pub fn describe(&self) -> GroupDescription {
        let protocol = self
            .protocol
            .as_deref()
            .filter(|_| self.state == State::Stable);
        let members = self.members().map(|member| MemberDescription {
            member_id: member.id.clone(),
            instance_id: member.instance_id.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            metadata: match protocol {
                Some(_) => member.metadata(protocol),
                None => Bytes::new(),
            },
            assignment: member.assignment.clone(),
        });
        GroupDescription {
            state: self.state.name(),
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            protocol: protocol.unwrap_or_default().to_owned(),
            members: members.collect(),
        }
    }

    /// The group in a list, if it fits.
    pub fn listing(&self, filter: &ListFilter) -> Option<GroupListing> {
        let fits = |wanted: &[String], name: &str| {
            wanted.is_empty()
                || wanted
                    .iter()
                    .any(|wanted| wanted.eq_ignore_ascii_case(name))
        };
        let fits = fits(&filter.states, self.state.name()) && fits(&filter.types, CLASSIC);
        fits.then(|| GroupListing {
            group: self.name.to_string(),
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            state: self.state.name(),
            group_type: CLASSIC,
        })
    }
}
