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

mod answer;
mod request;

pub use answer::*;
pub use request::*;
