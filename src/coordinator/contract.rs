//! What every coordinator and whoever hosts it say to each other.
//!
//! ```text
//!              request, time                    effects
//!    host ─────────────────────▶ StateMachine ─────────────▶ answers to waiting requests, records to write, errands
//!     ▲                                                             │
//!     └──────── written (or failed), errand done ◀──────────────────┘
//! ```
//!
//! What is to be remembered becomes records, the records are written, and only what was written is answered. Loading after a
//! start replays the same records.

use crate::types::TimestampMs;
use crate::wire::WireError;
use bytes::Bytes;
use thiserror::Error;

/// The time, as the shard sees it when an event comes in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Now {
    /// Milliseconds of a clock that never goes back: sessions and rebalances are measured with it.
    pub monotonic_ms: u64,
    /// The date: records are stamped with it, offsets and transactional ids expire by it.
    pub wall: TimestampMs,
}

/// A request that waits for its answer; unique among those of one coordinator.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RequestId(pub u64);

/// A write that the coordinator wants to hear of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct WriteId(pub u64);

/// A producer as its batches name it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Producer {
    /// Its id.
    pub id: i64,
    /// Its epoch.
    pub epoch: i16,
}

/// What the shard must do for a coordinator, in this order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect<Answer, Errand> {
    /// Answer a request.
    Answer(RequestId, Answer),
    /// Append these records to the coordinator's partition as one batch, and say when they are as durable as acks=all.
    Write(WriteId, Vec<LogRecord>),
    /// Likewise, as a part of this producer's transaction.
    WriteFor(WriteId, Producer, Vec<LogRecord>),
    /// Do this elsewhere, and say when it is done.
    Errand(Errand),
}

/// A record of the coordinator's partition, encoded; no value is a tombstone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogRecord {
    /// A key of Kafka's schemas for the topic.
    pub key: Bytes,
    /// The value of that kind.
    pub value: Option<Bytes>,
}

/// Why a write did not happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WriteFault {
    /// The records are larger than the partition takes in one batch.
    TooLarge,
    /// The producer in whose transaction they belong has been fenced there.
    Fenced,
    /// The log failed, is full, or was closed.
    Storage,
}

/// A record that nothing can be made of.
#[derive(Debug, Error)]
#[error("not a record of this coordinator: {0}")]
pub struct RecordError(#[from] pub WireError);

/// The coordinator of one partition: events and the time in, effects out.
pub trait StateMachine: 'static {
    /// What it must know of the broker's settings.
    type Settings: Copy;
    /// What clients ask. Every request gets exactly one answer, by one of the effects, of this or of a later event.
    type Request;
    /// What it answers.
    type Answer;
    /// What it wants done elsewhere.
    type Errand;
    /// What it decides for, in the plural, for log lines.
    const SUBJECTS: &'static str;

    /// A coordinator that knows nothing yet.
    fn new(settings: Self::Settings) -> Self;

    /// Works with other settings from now on.
    fn set_settings(&mut self, settings: Self::Settings);

    /// Takes over a record of the log, in the log's order; `producer` if it is a part of that one's transaction.
    ///
    /// # Errors
    /// The record is malformed, or of a version this broker does not know; it changes nothing.
    fn replay(&mut self, record: LogRecord, producer: Option<Producer>) -> Result<(), RecordError>;

    /// The log ends a producer's transaction here, behind all that was replayed, or told as written, before.
    fn transaction_ended(&mut self, producer_id: i64, committed: bool);

    /// The whole log has been replayed.
    fn loaded(&mut self, now: Now) -> Vec<Effect<Self::Answer, Self::Errand>>;

    /// Decides on a request.
    fn handle(
        &mut self,
        now: Now,
        id: RequestId,
        request: Self::Request,
    ) -> Vec<Effect<Self::Answer, Self::Errand>>;

    /// A write is done, or has failed. Writes are told of in the order in which they were wanted.
    fn written(
        &mut self,
        now: Now,
        id: WriteId,
        outcome: Result<(), WriteFault>,
    ) -> Vec<Effect<Self::Answer, Self::Errand>>;

    /// Some time has passed: whoever's time is up is dealt with.
    fn tick(&mut self, now: Now) -> Vec<Effect<Self::Answer, Self::Errand>>;

    /// When [`StateMachine::tick`] is needed, in milliseconds of the monotonic clock; perhaps a little early, never late.
    fn next_deadline(&self) -> Option<u64>;

    /// Answers everyone who waits: this coordinator decides nothing more.
    fn unload(&mut self) -> Vec<Effect<Self::Answer, Self::Errand>>;
}
