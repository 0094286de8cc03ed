//! Transactions of one partition of `__transaction_state`.
//!
//! ```text
//!            add            end                 markers in every partition
//!   Empty ────────▶ Ongoing ────▶ PrepareCommit ──────────────────────────▶ CompleteCommit ──▶ (Ongoing, Empty)
//!                      │ end, timeout, fence
//!                      └────────▶ PrepareAbort ───────────────────────────▶ CompleteAbort ───▶ (Ongoing, Empty)
//! ```
//!
//! A state counts when its record is written; until then the id takes no other change (CONCURRENT_TRANSACTIONS). What was
//! prepared is completed, also by the coordinator that comes after a restart. Rules of Kafka's `TransactionCoordinator` and
//! `TransactionMetadata` (KIP-98, KIP-360, KIP-588, KIP-890).
//!
//! | file | what it is for |
//! |---|---|
//! | `request`, `answer`, `settings` | the words of both sides |
//! | `coordinator` | all ids of the partition: events in, effects out |
//! | `state` | an id, its producer and its transaction: what follows what |
//! | `initialize`, `partitions`, `ending` | a producer begins, writes, ends |
//! | `upkeep` | what takes too long, and what nobody uses any more |
//! | `look` | a transaction from outside |
//! | `records` | an id as a record of the log, and back |
//! | `outbox` | what an event amounts to |

mod answer;
mod coordinator;
mod ending;
mod initialize;
mod look;
mod outbox;
mod partitions;
mod records;
mod request;
mod settings;
mod state;
#[cfg(test)]
mod tests;
mod upkeep;

pub use super::{LogRecord, Now, Producer, RequestId, StateMachine, WriteFault, WriteId};
pub use answer::*;
pub use coordinator::Coordinator;
pub use request::*;
pub use settings::TransactionSettings;
pub use state::STATES;
