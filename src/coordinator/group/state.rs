//! A group: its members, its state, and the questions one can ask of it.

use super::member::Member;
use super::offsets::Position;
use super::outbox::Key;
use super::request::MemberClaim;
use super::{GroupError, Joined, JoinedMember};
use crate::types::TimestampMs;
use crate::wire::group_records;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The protocol type of consumers, whose subscriptions the coordinator can read.
const CONSUMER: &str = "consumer";

/// Where a group stands. A group that does not exist is what Kafka calls `Dead`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum State {
    /// Nobody belongs to it.
    #[default]
    Empty,
    /// Members gather.
    PreparingRebalance,
    /// The leader is asked for the assignment.
    CompletingRebalance,
    /// Everyone has an assignment.
    Stable,
}

impl State {
    /// Kafka's name.
    pub fn name(self) -> &'static str {
        match self {
            State::Empty => "Empty",
            State::PreparingRebalance => "PreparingRebalance",
            State::CompletingRebalance => "CompletingRebalance",
            State::Stable => "Stable",
        }
    }
}

/// A group.
#[derive(Clone, Default, Debug)]
pub(super) struct Group {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub state: State,
    /// Where it stood before.
    pub previous: State,
    /// When it came to its state.
    pub since: Option<TimestampMs>,
    /// What the members have in common; none for a group that only keeps positions.
    pub protocol_type: Option<String>,
    /// The chosen assignor.
    pub protocol: Option<String>,
    /// How often it has rebalanced.
    pub generation: i32,
    /// Member id of the leader.
    pub leader: Option<String>,
    /// Members by id.
    pub members: BTreeMap<String, Member>,
    /// Member ids of static members by their instance ids.
    pub instances: HashMap<String, String>,
    /// Ids that were given to clients which have not come back with them, with the time until which they may.
    pub pending: BTreeMap<String, u64>,
    /// Members that have not fetched their assignment.
    pub pending_sync: BTreeSet<String>,
    /// Whether somebody joined since the initial wait was last extended.
    pub new_member_added: bool,
    /// The generation whose assignment is on its way to the log.
    pub assigning: Option<i32>,
    /// Topics the members subscribe to, as far as the coordinator can tell.
    pub subscribed: Option<BTreeSet<String>>,
    /// The wait for joins that is on.
    pub join_round: Option<u64>,
    /// The wait for syncs that is on.
    pub sync_round: Option<u64>,
    /// What is remembered: written, all of it.
    pub positions: BTreeMap<Key, Position>,
    /// Commits that are on their way to the log, by partition. What is decided meanwhile counts with them.
    pub in_flight: BTreeMap<Key, usize>,
    /// Positions that wait for the end of the transaction they were committed in, by producer; those on their way to the log too.
    pub held: BTreeMap<i64, BTreeMap<Key, Position>>,
}

impl Group {
    /// A group that nobody belongs to.
    pub fn new(name: &str) -> Group {
        Group {
            name: name.to_owned(),
            ..Group::default()
        }
    }

    /// Goes to another state.
    pub fn become_state(&mut self, state: State, now: TimestampMs) {
        self.previous = self.state;
        self.state = state;
        self.since = Some(now);
    }

    /// Whether the group is as if it had never been.
    pub fn is_void(&self) -> bool {
        self.is_idle()
            && self.generation == 0
            && self.positions.is_empty()
            && self.in_flight.is_empty()
            && self.held.is_empty()
    }

    /// The group is deleted; what was committed since stays, as that of a group without members.
    pub fn forget_membership(&mut self) {
        *self = Group {
            positions: std::mem::take(&mut self.positions),
            in_flight: std::mem::take(&mut self.in_flight),
            held: std::mem::take(&mut self.held),
            ..Group::new(&self.name)
        };
    }

    /// Whether nobody belongs to it nor is about to.
    pub fn is_idle(&self) -> bool {
        self.state == State::Empty && self.members.is_empty() && self.pending.is_empty()
    }

    /// Whether `member` leads.
    pub fn is_leader(&self, member: &str) -> bool {
        self.leader.as_deref() == Some(member)
    }

    /// How many members wait for their join to be answered.
    pub fn awaiting_join(&self) -> usize {
        let members = self.members.values();
        members
            .filter(|member| member.awaiting_join.is_some())
            .count()
    }

    /// Whether a rebalance need not wait for anybody.
    pub fn all_joined(&self) -> bool {
        self.pending.is_empty() && self.awaiting_join() == self.members.len()
    }

    /// How long a rebalance waits: as long as the most patient member asks for.
    pub fn rebalance_timeout_ms(&self) -> u64 {
        let members = self.members.values();
        members
            .map(|member| member.rebalance_timeout_ms)
            .max()
            .unwrap_or(0)
    }

    /// Whether whoever makes this claim is a member.
    ///
    /// # Errors
    /// It is not, or another one has taken its place.
    pub fn check_member(&self, claim: &MemberClaim) -> Result<(), GroupError> {
        if let Some(instance) = &claim.instance_id {
            match self.instances.get(instance) {
                None => return Err(GroupError::UnknownMemberId),
                Some(member) if *member != claim.member_id => {
                    return Err(GroupError::FencedInstanceId);
                }
                Some(_) => {}
            }
        }
        if self.members.contains_key(&claim.member_id) {
            Ok(())
        } else {
            Err(GroupError::UnknownMemberId)
        }
    }

    /// Whether a client with these protocols can be a member.
    pub fn accepts(&self, protocol_type: &str, protocols: &[(String, bytes::Bytes)]) -> bool {
        if self.state == State::Empty {
            return !protocol_type.is_empty() && !protocols.is_empty();
        }
        let common = |name: &str| self.members.values().all(|member| member.supports(name));
        self.protocol_type.as_deref() == Some(protocol_type)
            && protocols.iter().any(|(name, _)| common(name))
    }

    /// The assignor that most members prefer among those that all know; of equals the first by name.
    pub fn select_protocol(&self) -> Option<String> {
        let mut common: BTreeSet<&str> = BTreeSet::new();
        if let Some(any) = self.members.values().next() {
            let names = any.protocols.iter().map(|(name, _)| name.as_str());
            common.extend(
                names.filter(|name| self.members.values().all(|member| member.supports(name))),
            );
        }
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for member in self.members.values() {
            let mut preferred = member.protocols.iter().map(|(name, _)| name.as_str());
            if let Some(choice) = preferred.find(|name| common.contains(name)) {
                *votes.entry(choice).or_default() += 1;
            }
        }
        let most = votes.values().copied().max()?;
        let mut winners = votes.iter().filter(|(_, count)| **count == most);
        winners.next().map(|(name, _)| (*name).to_owned())
    }

    /// Whether the members are consumers, whose subscriptions can be read.
    pub fn has_consumers(&self) -> bool {
        self.protocol_type.as_deref() == Some(CONSUMER)
    }

    /// The topics that the members subscribe to; `None` when that cannot be known.
    pub fn subscribed_topics(&self) -> Option<BTreeSet<String>> {
        if !self.has_consumers() {
            return None;
        }
        if self.members.is_empty() {
            return Some(BTreeSet::new());
        }
        let protocol = self.protocol.as_deref()?;
        let mut topics = BTreeSet::new();
        for member in self.members.values() {
            let metadata = member.metadata(protocol)?.clone();
            let subscription = group_records::subscribed_topics(metadata).ok()?;
            topics.extend(subscription.iter().map(ToString::to_string));
        }
        Some(topics)
    }

    /// Whether somebody subscribes to `topic`, as far as the coordinator can tell; where it cannot, consumers might.
    pub fn is_subscribed_to(&self, topic: &str) -> bool {
        match &self.subscribed {
            Some(topics) => topics.contains(topic),
            None => self.has_consumers(),
        }
    }

    /// Takes a member out of every list. Whoever waits for it has been answered.
    pub fn remove(&mut self, member_id: &str) {
        if let Some(member) = self.members.remove(member_id)
            && let Some(instance) = &member.instance_id
        {
            self.instances.remove(instance);
        }
        if self.is_leader(member_id) {
            self.leader = self.members.keys().next().cloned();
        }
        self.pending.remove(member_id);
        self.pending_sync.remove(member_id);
    }

    /// A member as its generation has it; the leader is told of everybody.
    pub fn joined(&self, member_id: &str) -> Joined {
        Joined {
            generation: self.generation,
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            protocol_name: self.protocol.clone().unwrap_or_default(),
            leader: self.leader.clone().unwrap_or_default(),
            member_id: member_id.to_owned(),
            members: if self.is_leader(member_id) {
                self.joined_members()
            } else {
                Vec::new()
            },
            skip_assignment: false,
        }
    }

    fn joined_members(&self) -> Vec<JoinedMember> {
        let protocol = self.protocol.as_deref().unwrap_or_default();
        let members = self.members.values();
        members
            .map(|member| JoinedMember {
                member_id: member.id.clone(),
                instance_id: member.instance_id.clone(),
                metadata: member.metadata(protocol).cloned().unwrap_or_default(),
            })
            .collect()
    }
}
