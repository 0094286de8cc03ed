//! A member of a group.

use super::request::{JoinRequest, RequestId};
use bytes::Bytes;

/// Assignors by preference, each with the member's metadata for it. No name stands twice.
pub(super) type Protocols = Vec<(String, Bytes)>;

/// A member: what it said of itself, what it was given, and what it waits for.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub id: String,
    pub instance_id: Option<String>,
    pub client_id: String,
    pub client_host: String,
    pub terms: Terms,
    /// Empty until a leader assigns.
    pub assignment: Bytes,
    /// Its JoinGroup that is not answered yet. Counted by the group, which alone changes it.
    pub join: Option<RequestId>,
    /// Its SyncGroup that is not answered yet.
    pub sync: Option<RequestId>,
    /// It has been in no generation: it may be put out though its JoinGroup waits.
    pub is_new: bool,
    /// When its silence is looked at; `None` while it waits for the group.
    pub due: Option<u64>,
}

/// What a member asks for with each JoinGroup.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Terms {
    pub protocols: Protocols,
    pub session_timeout_ms: i32,
    pub rebalance_timeout_ms: i32,
}

impl Terms {
    pub fn of(request: &JoinRequest) -> Terms {
        Terms {
            protocols: distinct(&request.protocols),
            session_timeout_ms: request.session_timeout_ms,
            rebalance_timeout_ms: request.rebalance_timeout_ms,
        }
    }
}

/// Of several entries of one name the first.
fn distinct(protocols: &[(String, Bytes)]) -> Protocols {
    let mut seen = std::collections::HashSet::new();
    protocols
        .iter()
        .filter(|(name, _)| seen.insert(name.as_str()))
        .cloned()
        .collect()
}

impl Member {
    /// A member that has just asked to be one.
    pub fn joining(id: String, request: &JoinRequest) -> Member {
        Member {
            id,
            instance_id: request.instance_id.clone(),
            client_id: request.client_id.clone(),
            client_host: request.client_host.clone(),
            terms: Terms::of(request),
            assignment: Bytes::new(),
            join: None,
            sync: None,
            is_new: true,
            due: None,
        }
    }

    /// Its metadata for an assignor; empty if it does not know it.
    pub fn metadata(&self, protocol: Option<&str>) -> Bytes {
        let mut protocols = self.terms.protocols.iter();
        protocols
            .find(|(name, _)| Some(name.as_str()) == protocol)
            .map(|(_, metadata)| metadata.clone())
            .unwrap_or_default()
    }

    /// Its silence is no sign of its end: the group owes it an answer.
    pub fn is_owed_an_answer(&self) -> bool {
        !self.is_new && (self.join.is_some() || self.sync.is_some())
    }
}
