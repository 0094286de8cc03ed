//! Consumer groups of one partition of `__consumer_offsets`.
//!
//! ```text
//!              request, time                    effects
//!   shard ─────────────────────▶ Coordinator ─────────────▶ answers to waiting requests, records to write
//!     ▲                                                             │
//!     └──────────────── written (or failed) ◀───────────────────────┘
//! ```
//!
//! One path for everything that lasts: what is to be remembered becomes records, the records are written, and only what was
//! written is answered. Loading after a start replays the same records.
//!
//! | file | what it is for |
//! |---|---|
//! | [`request`], [`answer`] | what is asked, what is answered, what is to be done |
//! | [`coordinator`] | the door: events in, effects out; which group they concern |
//! | [`turn`] | one event's surroundings: the time, the effects so far, the writes that are under way |
//! | [`state`] | a group's data and its members: who is in, who waits, which assignor has the votes |
//! | [`join`], [`static_members`] | JoinGroup, and a static member that comes back under a new id |
//! | [`rebalance`] | from one generation to the next |
//! | [`sync`] | SyncGroup: the assignment is written, then handed out |
//! | [`membership`] | Heartbeat, LeaveGroup, silence |
//! | [`offsets`], [`commit`] | positions: those written and those under way; OffsetCommit, OffsetFetch |
//! | [`forget`], [`retention`] | DeleteGroups, OffsetDelete, deleted topics; what has expired |
//! | [`view`] | DescribeGroups, ListGroups |
//! | [`replay`], [`encode`] | from records and to records |
//!
//! The rules are those of Kafka 4.3's classic groups (`GroupMetadataManager`, `ClassicGroup`, `OffsetMetadataManager`).

mod answer;
mod commit;
mod coordinator;
mod encode;
mod forget;
mod join;
mod member;
mod membership;
mod offsets;
mod rebalance;
mod replay;
mod request;
mod retention;
mod settings;
mod state;
mod static_members;
mod sync;
mod turn;
mod view;

pub use answer::*;
pub use coordinator::Coordinator;
pub use replay::GroupRecordError;
pub use request::*;
pub use settings::GroupSettings;

#[cfg(test)]
mod tests;
