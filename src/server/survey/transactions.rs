//! Transactions that have not ended, by what their coordinator has written down. This broker has none yet that would end them.
//!
//! What they have left in the partitions themselves is served: a transaction that is open holds the last stable offset, one that
//! was aborted is told to readers of committed records. Only a cluster that has `__transaction_state` ever had a transaction.

use super::{Logs, SurveyError};
use crate::limits::INFLATED_BATCH_BYTES;
use crate::log::survey::each_batch;
use crate::metadata::Image;
use crate::metadata::topic_name::TRANSACTION_STATE_TOPIC;
use crate::types::Offset;
use crate::wire::records::{Batch, Scratch};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

/// Names at most so many.
const NAMED: usize = 3;

/// What transactions have left that is in the way, a sentence each.
pub(super) fn obstacles(logs: &Logs<'_>, image: &Image) -> Result<Vec<String>, SurveyError> {
    let mut found = Vec::new();
    let Some(coordinator) = image.topic_by_name(TRANSACTION_STATE_TOPIC) else {
        return Ok(found);
    };
    let mut unfinished = BTreeMap::new();
    for &partition in coordinator.partitions.keys() {
        if let Some((dir, _)) = logs.of(TRANSACTION_STATE_TOPIC, partition) {
            read_states(&dir, &mut unfinished)?;
        }
    }
    unfinished.retain(|_, state| state.is_open());
    if !unfinished.is_empty() {
        let names: Vec<_> = unfinished.keys().cloned().collect();
        found.push(format!(
            "the transactions of {} have not ended: with Kafka, let their producers end or time them out (kafka-transactions.sh abort), then stop it cleanly",
            list(&names)
        ));
    }
    Ok(found)
}

/// States of a transaction, by Kafka's numbers (`TransactionState`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct State(i8);

impl State {
    /// Ongoing 1, PrepareCommit 2, PrepareAbort 3, PrepareEpochFence 7, and any number there may be in the future; not Empty 0,
    /// CompleteCommit 4, CompleteAbort 5, Dead 6.
    fn is_open(self) -> bool {
        !matches!(self.0, 0 | 4 | 5 | 6)
    }
}

/// The last state of each transactional id in a partition of the coordinator's topic.
fn read_states(dir: &Path, states: &mut BTreeMap<String, State>) -> Result<(), SurveyError> {
    let mut outcome = Ok(());
    let mut scratch = Scratch::default();
    each_batch(dir, Offset::ZERO, &mut |batch| {
        outcome = take_states(dir, &batch, &mut scratch, states);
        match outcome {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    })?;
    outcome
}

fn take_states(
    dir: &Path,
    batch: &Batch,
    scratch: &mut Scratch,
    states: &mut BTreeMap<String, State>,
) -> Result<(), SurveyError> {
    if batch.header().attributes().is_control() {
        return Ok(());
    }
    let offset = batch.header().base_offset();
    let wrong = |problem: String| SurveyError::Metadata {
        path: dir.to_owned(),
        problem: format!("at offset {offset}: {problem}"),
    };
    let records = batch
        .records(INFLATED_BATCH_BYTES, scratch)
        .map_err(|error| wrong(error.to_string()))?;
    for record in records.iter() {
        let record = record.map_err(|error| wrong(error.to_string()))?;
        let Some(id) = record.key.and_then(transactional_id) else {
            return Err(wrong("its key is none of a transaction".to_owned()));
        };
        match record.value {
            None => drop(states.remove(&id)),
            Some(value) => {
                let state = state(value).ok_or_else(|| wrong("its value is cut off".to_owned()))?;
                states.insert(id, state);
            }
        }
    }
    Ok(())
}

/// `TransactionLogKey`: int16 version 0, the id as int16 length and bytes.
fn transactional_id(key: &[u8]) -> Option<String> {
    let rest = key.strip_prefix(&[0, 0])?;
    let (length, id) = rest.split_first_chunk()?;
    let id = id.get(..usize::from(u16::from_be_bytes(*length)))?;
    Some(String::from_utf8_lossy(id).into_owned())
}

/// `TransactionLogValue`, any version: int16 version, int64 producer id, int16 epoch, int32 timeout, int8 state.
fn state(value: &[u8]) -> Option<State> {
    value.get(16).map(|state| State(state.cast_signed()))
}

fn list(names: &[String]) -> String {
    let named = names
        .iter()
        .take(NAMED)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_of_the_coordinator_are_read_as_kafka_writes_them() {
        assert_eq!(transactional_id(b"\0\0\0\x02tx").as_deref(), Some("tx"));
        for broken in [&b"\0\x01\0\x02tx"[..], b"\0\0\0\x03tx", b"\0"] {
            assert_eq!(transactional_id(broken), None, "{broken:?}");
        }
        let mut value = vec![0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0xea, 0x60, 1];
        assert_eq!(state(&value), Some(State(1)));
        value.truncate(16);
        assert_eq!(state(&value), None);
    }

    #[test]
    fn what_has_ended_is_closed_and_everything_else_open() {
        let open: Vec<i8> = (0..9).filter(|&state| State(state).is_open()).collect();
        assert_eq!(open, [1, 2, 3, 7, 8]);
    }

    #[test]
    fn a_long_list_ends_in_a_number() {
        let names: Vec<String> = (0..5).map(|n| format!("t-{n}")).collect();
        assert_eq!(list(&names), "t-0, t-1, t-2 and 2 more");
        assert_eq!(list(&names[..1]), "t-0");
    }
}
