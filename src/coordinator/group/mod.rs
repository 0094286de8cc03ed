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
//! | `request`, `answer`, `settings` | the words of both sides |
//! | `coordinator` | all groups of the partition: events in, effects out |
//! | `state`, `member` | a group and a member, and the questions one can ask of them |
//! | `join`, `rebalance`, `membership` | how members come, gather, get their share, stay and go |
//! | `offsets` | positions: committed, fetched, forgotten |
//! | `records` | a group as records of the log, and back |
//! | `timers`, `outbox` | what comes due, and what an event amounts to |
//! | `describe` | a group from outside |

mod answer;
mod coordinator;
mod describe;
mod join;
mod member;
mod membership;
mod offsets;
mod outbox;
mod rebalance;
mod records;
mod request;
mod settings;
mod state;
#[cfg(test)]
mod tests;
mod timers;

pub use answer::*;
pub use coordinator::{Coordinator, GroupRecordError};
pub use request::*;
pub use settings::GroupSettings;
