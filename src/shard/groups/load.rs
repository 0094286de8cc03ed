//! What a coordinator knew before the start: its partition's log, record by record, into the coordinator.
//!
//! Read like any other log, a buffer at a time, and decoded a batch at a time; others are served in between.
//!
//! A log that another broker wrote may hold positions that were committed as part of a transaction. They count from the
//! transaction's marker on, and not at all if that aborts it.

use super::host::Host;
use crate::limits;
use crate::log::{LogError, ReadError};
use crate::types::Offset;
use crate::wire::records::{self, Batch, BatchError, BatchHeader, Scratch};
use bytes::Bytes;
use std::collections::HashMap;
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
pub async fn load(host: &Rc<Host>, read_bytes: u32) {
    match replay(host, read_bytes).await {
        Ok(()) => host.loaded(),
        Err(error) => {
            log::error!(
                "{}: its groups cannot be loaded and have no coordinator: {error}",
                host.name()
            );
            host.not_loaded();
        }
    }
}

async fn replay(host: &Host, read_bytes: u32) -> Result<(), LoadError> {
    let mut offset = host.log().log_start_offset();
    let mut scratch = Scratch::default();
    let mut open = OpenTransactions::default();
    while let Some(data) = read(host, offset, read_bytes).await? {
        for batch in records::batches(data) {
            let batch = batch.map_err(|error| LoadError::Batch(offset, error))?;
            let end = batch.header().next_offset();
            let records = copied(&batch, &mut scratch, offset)?;
            for (key, value) in open.take(batch.header(), records) {
                if !host.replay(key, value) {
                    return Ok(());
                }
            }
            offset = end;
            glommio::executor().yield_if_needed().await;
        }
    }
    Ok(())
}

/// Key and value of a record.
type KeyAndValue = (Bytes, Option<Bytes>);

/// A marker's type in its key, behind an int16 version: the transaction is committed (Kafka's `ControlRecordType`).
const COMMIT: [u8; 2] = [0, 1];

/// Records of transactions whose markers have not come yet, by producer.
#[derive(Default)]
struct OpenTransactions(HashMap<i64, Vec<KeyAndValue>>);

impl OpenTransactions {
    /// Takes the records of the next batch; gives back those that count now.
    fn take(&mut self, header: &BatchHeader, records: Vec<KeyAndValue>) -> Vec<KeyAndValue> {
        let attributes = header.attributes();
        let producer = header.producer_id();
        if attributes.is_control() {
            let ended = self.0.remove(&producer).unwrap_or_default();
            let committed = |(key, _): &KeyAndValue| key.get(2..4) == Some(COMMIT.as_slice());
            return match records.iter().any(committed) {
                true => ended,
                false => Vec::new(),
            };
        }
        if attributes.is_transactional() {
            self.0.entry(producer).or_default().extend(records);
            return Vec::new();
        }
        records
    }
}

/// Whole batches from `offset` on; `None` at the end.
async fn read(host: &Host, offset: Offset, bytes: u32) -> Result<Option<Bytes>, LoadError> {
    let log = host.log();
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

/// The records of a batch that have keys. Copied: what a group remembers must not keep the whole buffer.
fn copied(
    batch: &Batch,
    scratch: &mut Scratch,
    offset: Offset,
) -> Result<Vec<KeyAndValue>, LoadError> {
    let broken = |error| LoadError::Batch(offset, error);
    let records = batch
        .records(limits::INFLATED_BATCH_BYTES, scratch)
        .map_err(broken)?;
    let mut all = Vec::new();
    for record in records.iter() {
        let record = record.map_err(broken)?;
        let Some(key) = record.key else { continue };
        let value = record.value.map(Bytes::copy_from_slice);
        all.push((Bytes::copy_from_slice(key), value));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::records::{BatchBuilder, Codec};

    fn taken(open: &mut OpenTransactions, builder: BatchBuilder, key: &[u8]) -> Vec<String> {
        let mut builder = builder;
        builder.append(0, Some(key), Some(b"v"), &[]);
        let batch = Batch::new(builder.build()).unwrap();
        let records = copied(&batch, &mut Scratch::default(), Offset::ZERO).unwrap();
        let counting = open.take(batch.header(), records);
        let keys = counting.iter().map(|(key, _)| String::from_utf8_lossy(key));
        keys.map(Into::into).collect()
    }

    #[test]
    fn positions_of_a_transaction_count_from_its_commit_on_and_never_after_an_abort() {
        let plain = || BatchBuilder::new(Codec::None);
        let of = |producer| plain().producer(producer, 0, 0).transactional();
        let marker = |producer| of(producer).control();
        let mut open = OpenTransactions::default();
        assert_eq!(taken(&mut open, of(1), b"a"), [""; 0]);
        assert_eq!(taken(&mut open, of(2), b"b"), [""; 0]);
        assert_eq!(taken(&mut open, plain(), b"c"), ["c"]);
        assert_eq!(taken(&mut open, of(1), b"d"), [""; 0]);
        assert_eq!(taken(&mut open, marker(2), b"\0\0\0\0"), [""; 0], "aborted");
        assert_eq!(taken(&mut open, marker(1), b"\0\0\0\x01"), ["a", "d"]);
        assert_eq!(taken(&mut open, marker(2), b"\0\0\0\x01"), [""; 0], "gone");
    }
}
