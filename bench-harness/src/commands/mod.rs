//! A file a command: its options, and the run behind them. Each gives a result; none prints or writes files.

pub mod consume;
pub mod end_to_end;
pub mod latency;
pub mod limits;
pub mod produce;
