//! What cluster metadata records and control records say.

use std::io::Write;

use bytes::Bytes;

use super::{DumpError, text};
use crate::wire::control_records::ControlRecord;
use crate::wire::metadata_records::MetadataRecord;
use crate::wire::records::Record;

/// Control record types of partitions that clients write (Kafka's `ControlRecordType`).
const ABORT_MARKER: i16 = 0;
const COMMIT_MARKER: i16 = 1;

/// Prints a record of the metadata log.
///
/// # Errors
/// [`DumpError::Damaged`] if it is none that Kafka knows.
pub fn write_metadata_record(record: &Record<'_>, out: &mut dyn Write) -> Result<(), DumpError> {
    let value = Bytes::copy_from_slice(record.value.unwrap_or_default());
    let decoded = MetadataRecord::decode(value).map_err(|error| {
        DumpError::damaged(format!("record at offset {}: {error}", record.offset))
    })?;
    writeln!(
        out,
        "| offset: {} timestamp: {} {decoded:?}",
        record.offset, record.timestamp
    )?;
    Ok(())
}

/// What a control record says, as Kafka's `DumpLogSegments` has it for transactions.
///
/// # Errors
/// As [`write_control_record`].
pub fn control_text(record: &Record<'_>) -> Result<String, DumpError> {
    let mut line = Vec::new();
    write_control_record(record, &mut line)?;
    let line = String::from_utf8_lossy(&line);
    let begin = format!(
        "| offset: {} timestamp: {}",
        record.offset, record.timestamp
    );
    let text = line.strip_prefix(&begin).unwrap_or(&line).trim_end();
    Ok(text
        .replace("endTxnMarker: abort", "endTxnMarker: ABORT")
        .replace("endTxnMarker: commit", "endTxnMarker: COMMIT"))
}

/// Prints a control record: a transaction's marker, or one of the metadata log's own.
///
/// # Errors
/// [`DumpError::Damaged`] if its key or value is cut off.
pub fn write_control_record(record: &Record<'_>, out: &mut dyn Write) -> Result<(), DumpError> {
    let Some(&[_, _, high, low, ..]) = record.key else {
        let key = text::Quoted(record.key);
        return Err(DumpError::damaged(format!(
            "control record at offset {} with key {key}",
            record.offset
        )));
    };
    let value = record.value.unwrap_or_default();
    write!(
        out,
        "| offset: {} timestamp: {} ",
        record.offset, record.timestamp
    )?;
    match i16::from_be_bytes([high, low]) {
        kind @ (ABORT_MARKER | COMMIT_MARKER) => {
            let name = if kind == ABORT_MARKER {
                "abort"
            } else {
                "commit"
            };
            let epoch = value
                .get(2..6)
                .map(|epoch| i32::from_be_bytes([epoch[0], epoch[1], epoch[2], epoch[3]]));
            let epoch = epoch.ok_or_else(|| {
                DumpError::damaged(format!(
                    "the {name} marker at offset {} is cut off",
                    record.offset
                ))
            })?;
            writeln!(out, "endTxnMarker: {name} coordinatorEpoch: {epoch}")?;
        }
        kind => match ControlRecord::decode(kind, Bytes::copy_from_slice(value)) {
            Ok(Some(control)) => writeln!(out, "{control:?}")?,
            Ok(None) => writeln!(
                out,
                "control record of type {kind}: {}",
                text::Quoted(record.value)
            )?,
            Err(error) => {
                return Err(DumpError::damaged(format!(
                    "control record at offset {}: {error}",
                    record.offset
                )));
            }
        },
    }
    Ok(())
}
