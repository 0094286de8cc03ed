//! What a coordinator knew before the start: its partition's log, record by record, into the coordinator.
//!
//! Read like any other log, a buffer at a time, and decoded a batch at a time; others are served in between.

use super::host::Host;
use crate::coordinator::{LogRecord, Producer, StateMachine};
use crate::limits;
use crate::log::{LogError, ReadError};
use crate::types::Offset;
use crate::wire::records::{self, Batch, BatchError, EndTransaction, Scratch};
use bytes::Bytes;
use std::rc::Rc;
use thiserror::Error;

#[derive(Debug, Error)]
enum LoadError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("at offset {0}: {1}")]
    Batch(Offset, BatchError),
}

/// Loads `host` with reads of about `read_bytes`.
pub async fn load<M: StateMachine>(host: &Rc<Host<M>>, read_bytes: u32) {
    match replay(host, read_bytes).await {
        Ok(()) => host.loaded(),
        Err(error) => {
            log::error!(
                "{}: its {} cannot be loaded and have no coordinator: {error}",
                host.name(),
                M::SUBJECTS
            );
            host.not_loaded();
        }
    }
}

async fn replay<M: StateMachine>(host: &Host<M>, read_bytes: u32) -> Result<(), LoadError> {
    let mut offset = host.log().log_start_offset();
    let mut scratch = Scratch::default();
    while let Some(data) = read(host.log(), offset, read_bytes).await? {
        for batch in records::batches(data) {
            let batch = batch.map_err(|error| LoadError::Batch(offset, error))?;
            let end = batch.header().next_offset();
            let records = copied(&batch, &mut scratch, offset)?;
            if !host.replay(|machine| take(machine, &host.name(), &batch, records)) {
                return Ok(());
            }
            offset = end;
            glommio::executor().yield_if_needed().await;
        }
    }
    Ok(())
}

/// Gives the machine the records of a batch. One it cannot use is left out.
fn take<M: StateMachine>(machine: &mut M, name: &str, batch: &Batch, records: Vec<LogRecord>) {
    let header = batch.header();
    let attributes = header.attributes();
    if attributes.is_control() {
        for LogRecord { key, value } in records {
            if let Some(end) = EndTransaction::decode(&key, &value.unwrap_or_default()) {
                machine.transaction_ended(header.producer_id(), end.committed);
            }
        }
        return;
    }
    let producer = attributes.is_transactional().then(|| Producer {
        id: header.producer_id(),
        epoch: header.producer_epoch(),
    });
    for record in records {
        if let Err(error) = machine.replay(record, producer) {
            log::warn!("{name}: a record is left out: {error}");
        }
    }
}

/// Whole batches from `offset` on; `None` at the end.
async fn read(
    log: &Rc<crate::log::PartitionLog>,
    offset: Offset,
    bytes: u32,
) -> Result<Option<Bytes>, LoadError> {
    if offset >= log.high_watermark() {
        return Ok(None);
    }
    let Some(plan) = log.read_view(offset)?.plan(bytes, true).await? else {
        return Ok(None);
    };
    let data = plan.file.read_at(plan.position, plan.len as usize).await;
    let data = data.map_err(|error| LogError::storage("read", log.dir(), error))?;
    Ok(Some(data))
}

/// The records of a batch that have keys. Copied: what a coordinator remembers must not keep the whole buffer.
fn copied(
    batch: &Batch,
    scratch: &mut Scratch,
    offset: Offset,
) -> Result<Vec<LogRecord>, LoadError> {
    let broken = |error| LoadError::Batch(offset, error);
    let records = batch
        .records(limits::INFLATED_BATCH_BYTES, scratch)
        .map_err(broken)?;
    let mut all = Vec::new();
    for record in records.iter() {
        let record = record.map_err(broken)?;
        let Some(key) = record.key else { continue };
        all.push(LogRecord {
            key: Bytes::copy_from_slice(key),
            value: record.value.map(Bytes::copy_from_slice),
        });
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coordinator::group::{
        Coordinator, FetchOffsetsRequest, GroupAnswer, GroupRequest, GroupSettings, Now, RequestId,
    };
    use crate::types::TimestampMs;
    use crate::wire::group_records::{OffsetCommitKey, OffsetCommitValue};
    use crate::wire::records::{BatchBuilder, Codec};

    fn nothing_set() -> GroupSettings {
        GroupSettings {
            min_session_timeout_ms: 0,
            max_session_timeout_ms: 0,
            initial_rebalance_delay_ms: 0,
            max_size: 1,
            offsets_retention_ms: i64::MAX,
            offsets_retention_check_interval_ms: u64::MAX / 2,
            offset_metadata_max_bytes: 0,
        }
    }

    fn load(machine: &mut Coordinator, mut builder: BatchBuilder, key: &[u8], value: &[u8]) {
        builder.append(0, Some(key), Some(value), &[]);
        let batch = Batch::new(builder.build()).unwrap();
        let records = copied(&batch, &mut Scratch::default(), Offset::ZERO).unwrap();
        take(machine, "test", &batch, records);
    }

    fn commit(machine: &mut Coordinator, builder: BatchBuilder, topic: &str) {
        let key = OffsetCommitKey {
            group: "g".into(),
            topic: topic.into(),
            partition: 0,
        };
        let value = OffsetCommitValue::default();
        load(machine, builder, &key.encode_key(), &value.encode_value());
    }

    fn positions(machine: &mut Coordinator) -> Vec<String> {
        let now = Now {
            monotonic_ms: 0,
            wall: TimestampMs(0),
        };
        let fetch = GroupRequest::FetchOffsets(FetchOffsetsRequest {
            group: "g".to_owned(),
            ..FetchOffsetsRequest::default()
        });
        match machine.handle(now, RequestId(0), fetch).pop() {
            Some(crate::coordinator::Effect::Answer(_, GroupAnswer::FetchOffsets(Ok(found)))) => {
                found.into_iter().map(|((topic, _), _)| topic).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn positions_of_a_transaction_count_from_its_commit_on_and_never_after_an_abort() {
        let plain = || BatchBuilder::new(Codec::None);
        let of = |producer| plain().producer(producer, 0, -1).transactional();
        let mut machine = Coordinator::new(nothing_set());
        commit(&mut machine, of(1), "a");
        commit(&mut machine, of(2), "b");
        assert_eq!(positions(&mut machine), [""; 0]);
        commit(&mut machine, plain(), "c");
        commit(&mut machine, of(1), "d");
        assert_eq!(positions(&mut machine), ["c"]);
        load(&mut machine, of(2).control(), b"\0\0\0\0", &[0; 6]);
        assert_eq!(positions(&mut machine), ["c"]);
        load(&mut machine, of(1).control(), b"\0\0\0\x01", &[0; 6]);
        assert_eq!(positions(&mut machine), ["a", "c", "d"]);
        load(&mut machine, of(2).control(), b"\0\0\0\x01", &[0; 6]);
        assert_eq!(positions(&mut machine), ["a", "c", "d"]);
    }
}
