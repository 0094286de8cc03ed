//! Sockets: frames in, answers out in request order, record data by `sendfile`.
//!
//! A connection is three tasks on one core with data flowing one way:
//!
//! ```text
//! socket ─▶ frame_reader ─▶ (bounded) ─▶ connection: dispatch ─▶ reply_queue ─▶ send ─▶ socket
//! ```
//!
//! The reader takes bytes under the core's memory [`budget`]; the dispatcher hands each request to [`crate::api`]; the
//! sender resolves answers in request order. A client that stalls stops only its own three tasks. This room knows
//! frames and correlation, never topics or partitions.

pub mod budget;
pub mod connection;
pub mod frame_reader;
pub mod listener;
pub mod registry;
pub mod reply_queue;
pub mod send;
mod stopwatch;
pub mod stream;
