//! Consumer groups of one partition of `__consumer_offsets`.
//!
//! | file | what it is for |
//! |---|---|
//! | `request`, `answer`, `settings` | the words of both sides |
//! | `coordinator` | all groups of the partition: events in, effects out |
//! | `state`, `member` | a group and a member, and the questions one can ask of them |
//! | `join`, `rebalance`, `membership` | how members come, gather, get their share, stay and go |
//! | `offsets`, `held` | positions: committed, fetched, forgotten; those that wait for the end of a transaction |
//! | `records` | a group as records of the log, and back |
//! | `timers`, `outbox` | what comes due, and what an event amounts to |
//! | `describe` | a group from outside |

mod answer;
mod coordinator;
mod describe;
mod held;
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

pub use super::{LogRecord, Now, Producer, RequestId, StateMachine, WriteFault, WriteId};
pub use answer::*;
pub use coordinator::Coordinator;
pub use request::*;
pub use settings::GroupSettings;
