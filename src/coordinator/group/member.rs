//! One member of a group.

use super::RequestId;
use super::outbox::Stage;
use super::request::JoinRequest;
use super::timers::Due;
use bytes::Bytes;

/// A new member cannot send heartbeats while its first join waits; after so long it is taken to be gone. Kafka's number.
pub(super) const NEW_MEMBER_JOIN_TIMEOUT_MS: u64 = 5 * 60 * 1000;

/// A member.
#[derive(Clone, Debug, Default)]
pub(super) struct Member {
    /// Its id.
    pub id: String,
    /// `group.instance.id` of a static member.
    pub instance_id: Option<String>,
    /// Its client id.
    pub client_id: String,
    /// Its address.
    pub client_host: String,
    /// Silence after which it is out.
    pub session_timeout_ms: u64,
    /// How long a rebalance waits for it.
    pub rebalance_timeout_ms: u64,
    /// What it can work with, the preferred first.
    pub protocols: Vec<(String, Bytes)>,
    /// What it was assigned.
    pub assignment: Bytes,
    /// Its join, while a rebalance gathers the members.
    pub awaiting_join: Option<RequestId>,
    /// Its sync, until the leader's assignment is written.
    pub awaiting_sync: Option<RequestId>,
    /// Whether its first join has not been answered yet.
    pub is_new: bool,
    /// When it is out, in milliseconds of the monotonic clock.
    pub deadline: u64,
    /// When the timer for `deadline` fires; never later, perhaps earlier.
    pub timer_at: Option<u64>,
}

impl Member {
    /// A member that joins for the first time.
    pub fn new(id: String, join: &JoinRequest) -> Member {
        let mut member = Member {
            id,
            instance_id: join.instance_id.clone(),
            client_id: join.client_id.clone(),
            client_host: join.client_host.clone(),
            is_new: true,
            ..Member::default()
        };
        member.update(join);
        member
    }

    /// Takes over what a join says.
    pub fn update(&mut self, join: &JoinRequest) {
        self.protocols.clone_from(&join.protocols);
        self.session_timeout_ms = positive(join.session_timeout_ms);
        self.rebalance_timeout_ms = positive(join.rebalance_timeout_ms);
    }

    /// Its metadata for an assignor.
    pub fn metadata(&self, protocol: &str) -> Option<&Bytes> {
        let mut protocols = self.protocols.iter();
        protocols
            .find(|(name, _)| name == protocol)
            .map(|(_, metadata)| metadata)
    }

    /// Whether it can work with an assignor.
    pub fn supports(&self, protocol: &str) -> bool {
        self.metadata(protocol).is_some()
    }

    /// Whether somebody waits for its join or its sync, so that it cannot be expected to send heartbeats.
    pub fn waits(&self) -> bool {
        !self.is_new && (self.awaiting_join.is_some() || self.awaiting_sync.is_some())
    }

    /// It was heard of: its session begins anew.
    pub fn heard(&mut self, group: &str, stage: &mut Stage<'_>) {
        self.expect_within(self.session_timeout_ms, group, stage);
    }

    /// It must be heard of within so many milliseconds.
    pub fn expect_within(&mut self, timeout_ms: u64, group: &str, stage: &mut Stage<'_>) {
        self.deadline = stage.now.monotonic_ms.saturating_add(timeout_ms);
        if self.timer_at.is_none_or(|at| at > self.deadline) {
            self.arm(group, stage);
        }
    }

    /// Sets the timer for the deadline.
    pub fn arm(&mut self, group: &str, stage: &mut Stage<'_>) {
        self.timer_at = Some(self.deadline);
        let member = self.id.clone();
        stage
            .timers
            .set(self.deadline, group, Due::Session { member });
    }
}

/// A timeout of the wire.
pub(super) fn positive(timeout_ms: i32) -> u64 {
    u64::try_from(timeout_ms).unwrap_or(0)
}
