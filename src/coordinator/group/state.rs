//! A group's data: its members, who waits, and which assignor has the votes.

use super::answer::{GroupError, JoinedMember, WriteId};
use super::member::{Member, Terms};
use super::offsets::Offsets;
use super::request::{Now, RequestId};
use super::turn::Turn;
use crate::types::TimestampMs;
use crate::wire::group_records::ConsumerProtocolSubscription;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

/// The protocol type of ordinary consumers: of them alone the coordinator knows what they subscribe to.
pub(super) const CONSUMER: &str = "consumer";

/// Where a group stands.
///
/// ```text
/// Empty ──▶ Preparing ──▶ Completing ──▶ Stable
///   ▲         │  ▲            │            │
///   └─────────┘  └────────────┴────────────┘
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// Nobody belongs to it.
    Empty,
    /// Members are called to join.
    Preparing,
    /// They have joined; the leader's assignment is awaited, or being written.
    Completing,
    /// Everybody has an assignment.
    Stable,
}

impl State {
    /// Kafka's name.
    pub fn name(self) -> &'static str {
        match self {
            State::Empty => "Empty",
            State::Preparing => "PreparingRebalance",
            State::Completing => "CompletingRebalance",
            State::Stable => "Stable",
        }
    }
}

/// When the members have had long enough to join.
#[derive(Clone, Copy, Debug)]
pub(super) struct JoinTimer {
    pub at: u64,
    /// In a group that was empty: the delay that `at` ends, and how much longer it may be drawn out, in milliseconds.
    pub initial: Option<(u64, u64)>,
}

/// A group.
pub(super) struct Group {
    pub name: Rc<str>,
    pub state: State,
    /// When it came to its state; unknown from old records.
    pub state_since: Option<TimestampMs>,
    pub generation: i32,
    /// `None`: it has only ever stored offsets.
    pub protocol_type: Option<String>,
    /// The chosen assignor.
    pub protocol: Option<String>,
    pub leader: Option<String>,
    members: BTreeMap<String, Member>,
    /// Member id by `group.instance.id`.
    statics: HashMap<String, String>,
    /// Ids that were given out and not come back with, each with the end of its time.
    pub pending: BTreeMap<String, u64>,
    /// How many members know an assignor.
    supported: HashMap<String, usize>,
    /// Members whose JoinGroup waits.
    joins_waiting: usize,
    /// Members of this generation that have not asked for their assignment.
    pub pending_sync: BTreeSet<String>,
    /// What its consumers subscribe to; `None` if that is not known.
    pub subscribed: Option<HashSet<String>>,
    /// The group was empty before this rebalance.
    pub initial: bool,
    /// Somebody came during the initial delay.
    pub new_member_added: bool,
    pub join_timer: Option<JoinTimer>,
    pub sync_due: Option<u64>,
    /// The generation whose assignment is being written.
    pub assigning: Option<i32>,
    /// The write that forgets it.
    pub forgetting: Option<WriteId>,
    /// The log has something of it.
    pub stored: bool,
    pub writes_under_way: u32,
    pub offsets: Offsets,
    /// Not later than anything of it is due.
    pub alarm: Option<u64>,
    /// What the coordinator has noted of `alarm`.
    pub noted_alarm: Option<u64>,
}

impl Group {
    /// A group that nobody has been in.
    pub fn new(name: Rc<str>, since: TimestampMs) -> Group {
        Group {
            name,
            state: State::Empty,
            state_since: Some(since),
            generation: 0,
            protocol_type: None,
            protocol: None,
            leader: None,
            members: BTreeMap::new(),
            statics: HashMap::new(),
            pending: BTreeMap::new(),
            supported: HashMap::new(),
            joins_waiting: 0,
            pending_sync: BTreeSet::new(),
            subscribed: None,
            initial: false,
            new_member_added: false,
            join_timer: None,
            sync_due: None,
            assigning: None,
            forgetting: None,
            stored: false,
            writes_under_way: 0,
            offsets: Offsets::default(),
            alarm: None,
            noted_alarm: None,
        }
    }

    pub fn enter(&mut self, state: State, now: Now) {
        self.state = state;
        self.state_since = Some(now.wall);
    }

    /// Something of the group is due then.
    pub fn wake_by(&mut self, due: u64) {
        self.alarm = Some(self.alarm.map_or(due, |alarm| alarm.min(due)));
    }

    /// Nothing is left to remember of it, anywhere.
    pub fn is_forgotten(&self) -> bool {
        self.state == State::Empty
            && self.pending.is_empty()
            && !self.stored
            && self.writes_under_way == 0
            && self.offsets.is_empty()
    }

    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    pub fn member(&self, id: &str) -> Option<&Member> {
        self.members.get(id)
    }

    /// For everything but `join`, which the group counts.
    pub fn member_mut(&mut self, id: &str) -> Option<&mut Member> {
        self.members.get_mut(id)
    }

    pub fn member_ids(&self) -> Vec<String> {
        self.members.keys().cloned().collect()
    }

    pub fn size(&self) -> usize {
        self.members.len()
    }

    pub fn joins_waiting(&self) -> usize {
        self.joins_waiting
    }

    pub fn is_leader(&self, id: &str) -> bool {
        self.leader.as_deref() == Some(id)
    }

    pub fn static_member(&self, instance_id: &str) -> Option<&str> {
        self.statics.get(instance_id).map(String::as_str)
    }

    /// Everybody who is in, or on the way in, waits to go on.
    pub fn all_have_joined(&self) -> bool {
        self.members.len() == self.joins_waiting && self.pending.is_empty()
    }

    /// The longest that any member wants a rebalance to wait for it.
    pub fn rebalance_timeout_ms(&self) -> i32 {
        let timeouts = self.members.values().map(|m| m.terms.rebalance_timeout_ms);
        timeouts.max().unwrap_or(0).max(0)
    }

    /// # Errors
    /// It is no member, or another has its instance id.
    pub fn check_member(&self, id: &str, instance_id: Option<&str>) -> Result<(), GroupError> {
        if let Some(instance_id) = instance_id {
            match self.static_member(instance_id) {
                None => return Err(GroupError::UnknownMemberId),
                Some(known) if known != id => return Err(GroupError::FencedInstanceId),
                Some(_) => {}
            }
        }
        match self.members.contains_key(id) {
            true => Ok(()),
            false => Err(GroupError::UnknownMemberId),
        }
    }

    /// Takes a member in. It must fit: see [`Group::supports`].
    pub fn add(&mut self, member: Member, protocol_type: &str) {
        if self.members.is_empty() {
            self.protocol_type = Some(protocol_type.to_owned());
        }
        self.leader.get_or_insert_with(|| member.id.clone());
        self.pending.remove(&member.id);
        if let Some(instance_id) = &member.instance_id {
            self.statics.insert(instance_id.clone(), member.id.clone());
        }
        self.count_protocols(&member.terms, 1);
        self.joins_waiting += usize::from(member.join.is_some());
        self.members.insert(member.id.clone(), member);
    }

    /// Takes a member out, whole.
    pub fn take_out(&mut self, id: &str) -> Option<Member> {
        self.pending.remove(id);
        self.pending_sync.remove(id);
        let member = self.members.remove(id)?;
        self.count_protocols(&member.terms, -1);
        self.joins_waiting -= usize::from(member.join.is_some());
        if let Some(instance_id) = &member.instance_id {
            self.statics.remove(instance_id);
        }
        if self.is_leader(id) {
            self.leader = self.members.keys().next().cloned();
        }
        Some(member)
    }

    /// Puts a member out; what it waits for is answered.
    pub fn put_out(&mut self, turn: &mut Turn, id: &str) {
        let Some(member) = self.take_out(id) else {
            return;
        };
        // No id: the client comes back as a new member if it is still there.
        dismiss(turn, &member, GroupError::UnknownMemberId, "");
    }

    /// Its JoinGroup waits from now on. One that it repeats is answered: only one of them can be heard.
    pub fn park_join(&mut self, turn: &mut Turn, id: &str, request: RequestId) {
        let Some(member) = self.members.get_mut(id) else {
            return;
        };
        match member.join.replace(request) {
            Some(before) => turn.refuse_join(before, GroupError::RebalanceInProgress, id),
            None => self.joins_waiting += 1,
        }
    }

    /// Its JoinGroup, to be answered.
    pub fn unpark_join(&mut self, id: &str) -> Option<RequestId> {
        let request = self.members.get_mut(id)?.join.take();
        self.joins_waiting -= usize::from(request.is_some());
        request
    }

    /// What it asks for from now on.
    pub fn set_terms(&mut self, id: &str, terms: Terms) {
        let Some(member) = self.members.get_mut(id) else {
            return;
        };
        let before = std::mem::replace(&mut member.terms, terms.clone());
        self.count_protocols(&before, -1);
        self.count_protocols(&terms, 1);
    }

    fn count_protocols(&mut self, terms: &Terms, by: isize) {
        for (name, _) in &terms.protocols {
            let count = self.supported.entry(name.clone()).or_default();
            *count = count.saturating_add_signed(by);
            if *count == 0 {
                self.supported.remove(name);
            }
        }
    }

    /// Whether a member with these assignors can be among the others.
    pub fn supports(&self, protocol_type: &str, terms: &Terms) -> bool {
        if self.state == State::Empty {
            return !protocol_type.is_empty() && !terms.protocols.is_empty();
        }
        let common = |name: &str| self.supported.get(name).copied().unwrap_or(0) == self.size();
        self.protocol_type.as_deref() == Some(protocol_type)
            && terms.protocols.iter().any(|(name, _)| common(name))
    }

    /// The assignor with the most votes. Each member votes for the first of its own that all know; of equals, the first
    /// by name.
    pub fn vote(&self) -> Option<String> {
        let common = |name: &str| self.supported.get(name) == Some(&self.members.len());
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for member in self.members.values() {
            let mut names = member.terms.protocols.iter().map(|(name, _)| name.as_str());
            if let Some(choice) = names.find(|name| common(name)) {
                *votes.entry(choice).or_default() += 1;
            }
        }
        let most = votes.values().copied().max()?;
        let winner = votes.into_iter().find(|&(_, count)| count == most);
        winner.map(|(name, _)| name.to_owned())
    }

    /// The members as their leader is told of them.
    pub fn members_for_leader(&self) -> Vec<JoinedMember> {
        let protocol = self.protocol.as_deref();
        let told = self.members.values().map(|member| JoinedMember {
            member_id: member.id.clone(),
            instance_id: member.instance_id.clone(),
            metadata: member.metadata(protocol),
        });
        told.collect()
    }

    pub fn is_consumer(&self) -> bool {
        self.protocol_type.as_deref() == Some(CONSUMER)
    }

    /// Whether somebody subscribes to the topic. What cannot be known is taken for yes.
    pub fn is_subscribed(&self, topic: &str) -> bool {
        match &self.subscribed {
            Some(topics) => topics.contains(topic),
            None => self.is_consumer(),
        }
    }

    /// Finds out what its consumers subscribe to.
    pub fn find_subscriptions(&mut self) {
        self.subscribed = if self.is_consumer() {
            self.subscriptions()
        } else {
            None
        };
    }

    fn subscriptions(&self) -> Option<HashSet<String>> {
        let mut topics = HashSet::new();
        for member in self.members.values() {
            let metadata = member.metadata(Some(self.protocol.as_deref()?));
            let subscription = ConsumerProtocolSubscription::from_bytes(metadata).ok()?;
            topics.extend(subscription.topics.iter().map(|topic| topic.to_string()));
        }
        Some(topics)
    }

    /// A static member goes on under another id, its share and all. Whatever the old one waits for is refused.
    pub fn rename_static(&mut self, turn: &mut Turn, instance_id: &str, old: &str, new: &str) {
        self.unwait(turn, old, GroupError::FencedInstanceId);
        let Some(mut member) = self.members.remove(old) else {
            return;
        };
        member.id = new.to_owned();
        self.members.insert(new.to_owned(), member);
        self.statics.insert(instance_id.to_owned(), new.to_owned());
        if self.pending_sync.remove(old) {
            self.pending_sync.insert(new.to_owned());
        }
        if self.is_leader(old) {
            self.leader = Some(new.to_owned());
        }
    }

    fn unwait(&mut self, turn: &mut Turn, id: &str, error: GroupError) {
        if let Some(join) = self.unpark_join(id) {
            turn.refuse_join(join, error, id);
        }
        if let Some(sync) = self.members.get_mut(id).and_then(|m| m.sync.take()) {
            turn.refuse_sync(sync, error);
        }
    }

    /// Nobody is in any more; everybody who waits is told why.
    pub fn clear(&mut self, turn: &mut Turn, error: GroupError) {
        for id in self.member_ids() {
            if let Some(member) = self.take_out(&id) {
                dismiss(turn, &member, error, "");
            }
        }
        self.pending.clear();
        self.join_timer = None;
        self.sync_due = None;
        self.initial = false;
        self.state = State::Empty;
    }

    /// The end of the earliest term, exactly.
    pub fn earliest_due(&self) -> Option<u64> {
        let members = self.members.values().filter_map(|member| member.due);
        let timers = [self.join_timer.map(|timer| timer.at), self.sync_due];
        members
            .chain(self.pending.values().copied())
            .chain(timers.into_iter().flatten())
            .min()
    }

    /// Heard of it: it has its session timeout again.
    pub fn touch(&mut self, turn: &Turn, id: &str) {
        let Some(member) = self.members.get_mut(id) else {
            return;
        };
        let due = turn.in_ms(member.terms.session_timeout_ms);
        member.due = Some(due);
        self.wake_by(due);
    }
}

/// Answers what a member waits for that is one no longer.
fn dismiss(turn: &mut Turn, member: &Member, error: GroupError, id: &str) {
    if let Some(join) = member.join {
        turn.refuse_join(join, error, id);
    }
    if let Some(sync) = member.sync {
        turn.refuse_sync(sync, error);
    }
}
