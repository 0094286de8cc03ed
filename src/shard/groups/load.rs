//! What a coordinator knew before the start: its partition's log, record by record, into the coordinator.
//!
//! Read like any other log, a buffer at a time, and decoded a batch at a time; others are served in between.

use super::host::Host;
use crate::limits;
use crate::log::{LogError, ReadError};
use crate::types::Offset;
use crate::wire::records::{self, Batch, BatchError, Scratch};
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
    while let Some(data) = read(host, offset, read_bytes).await? {
        for batch in records::batches(data) {
            let batch = batch.map_err(|error| LoadError::Batch(offset, error))?;
            let end = batch.header().next_offset();
            if !batch.header().attributes().is_control()
                && !take(host, &batch, &mut scratch, offset)?
            {
                return Ok(());
            }
            offset = end;
            glommio::executor().yield_if_needed().await;
        }
    }
    Ok(())
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

fn take(
    host: &Host,
    batch: &Batch,
    scratch: &mut Scratch,
    offset: Offset,
) -> Result<bool, LoadError> {
    let broken = |error| LoadError::Batch(offset, error);
    let records = batch
        .records(limits::INFLATED_BATCH_BYTES, scratch)
        .map_err(broken)?;
    for record in records.iter() {
        let record = record.map_err(broken)?;
        let Some(key) = record.key else { continue };
        // Copied: what a group remembers must not keep the whole buffer.
        let value = record.value.map(Bytes::copy_from_slice);
        if !host.replay(Bytes::copy_from_slice(key), value) {
            return Ok(false);
        }
    }
    Ok(true)
}
