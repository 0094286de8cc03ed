//! `.log` segments and metadata snapshots: batch by batch, each checked as a reader of the log would check it.
//!
//! One batch is in memory at a time. What a batch's length claims is believed only as far as the file goes.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use bytes::Bytes;

use super::metadata_records::{write_control_record, write_metadata_record};
use super::{DumpError, text};
use crate::cli::args::DumpLogArgs;
use crate::wire::records::batch::{LENGTH_END, MAGIC_AT};
use crate::wire::records::message_set::Message;
use crate::wire::records::{BatchHeader, Record, Scratch, TimestampType, batches};

/// A batch that inflates to more than this is damaged or hostile.
const INFLATED_BYTES_MAX: u64 = 1 << 30;
/// The largest batch any broker accepts: its length is an `i32`, and no sane limit is near that.
const BATCH_BYTES_MAX: u64 = 1 << 30;
/// Up to the magic byte, which is at the same place in all formats.
const PREFIX_BYTES: usize = MAGIC_AT + 1;

/// Prints every batch, and with `--records` or `--cluster-metadata` every record.
///
/// # Errors
/// [`DumpError::Damaged`] at the first batch that is not whole or whose CRC is wrong: what follows cannot be found.
pub fn dump_batches(
    file: &File,
    path: &Path,
    args: &DumpLogArgs,
    out: &mut dyn Write,
) -> Result<(), DumpError> {
    let read_error = |source| DumpError::Read {
        path: path.to_owned(),
        source,
    };
    let end = file.metadata().map_err(read_error)?.len();
    let stop = args.max_bytes.unwrap_or(end).min(end);
    let mut printer = Printer {
        args,
        scratch: Scratch::default(),
        batches: 0,
        records: 0,
    };
    let mut position = 0;
    while position < stop {
        let Some(size) = entry_size(file, position, end)? else {
            break;
        };
        let mut entry = vec![0; size];
        file.read_exact_at(&mut entry, position)
            .map_err(read_error)?;
        let printed = printer.print(Bytes::from(entry), position, out);
        printed.map_err(|error| at_position(error, position))?;
        position += size as u64;
    }
    writeln!(
        out,
        "{} batches, {} records, {position} bytes",
        printer.batches, printer.records
    )?;
    Ok(())
}

/// How long the batch or message at `position` is; `None` where the rest is preallocated space.
///
/// # Errors
/// [`DumpError::Damaged`] when what stands there cannot be a batch, or is cut off.
pub fn entry_size(file: &File, position: u64, end: u64) -> Result<Option<usize>, DumpError> {
    let mut prefix = [0; PREFIX_BYTES];
    let left = end - position;
    let there = prefix
        .len()
        .min(usize::try_from(left).unwrap_or(usize::MAX));
    let cut_off = |what: String| at_position(DumpError::damaged(what), position);
    file.read_exact_at(&mut prefix[..there], position)
        .map_err(|source| cut_off(source.to_string()))?;
    if there < prefix.len() {
        return Err(cut_off(format!("{left} bytes at the end are no batch")));
    }
    if prefix == [0; PREFIX_BYTES] {
        return Ok(None);
    }
    let length = i32::from_be_bytes([prefix[8], prefix[9], prefix[10], prefix[11]]);
    match u64::try_from(length).map(|length| length + LENGTH_END as u64) {
        Ok(size) if size > left => Err(cut_off(format!(
            "a batch of {size} bytes, of which {left} are there"
        ))),
        Ok(size) if (PREFIX_BYTES as u64..=BATCH_BYTES_MAX).contains(&size) => {
            Ok(Some(size as usize))
        }
        _ => Err(cut_off(format!("a batch cannot have length {length}"))),
    }
}

fn at_position(error: DumpError, position: u64) -> DumpError {
    match error {
        DumpError::Damaged(what) => DumpError::Damaged(format!("at byte {position}: {what}")),
        other => other,
    }
}

struct Printer<'a> {
    args: &'a DumpLogArgs,
    scratch: Scratch,
    batches: u64,
    records: u64,
}

impl Printer<'_> {
    fn print(&mut self, entry: Bytes, position: u64, out: &mut dyn Write) -> Result<(), DumpError> {
        self.batches += 1;
        match entry[MAGIC_AT] {
            0 | 1 => self.print_message_set(entry, position, out),
            _ => self.print_batch(entry, position, out),
        }
    }

    fn print_batch(
        &mut self,
        entry: Bytes,
        position: u64,
        out: &mut dyn Write,
    ) -> Result<(), DumpError> {
        let Some(batch) = batches(entry).next() else {
            return Err(DumpError::damaged("it is cut off"));
        };
        let batch = batch.map_err(damaged)?;
        write_header(batch.header(), position, out)?;
        // This checks the CRC, whether records are wanted or not.
        let batch = batch
            .records(INFLATED_BYTES_MAX, &mut self.scratch)
            .map_err(damaged)?;
        for record in &batch {
            let record = record.map_err(damaged)?;
            self.records += 1;
            if batch.header().attributes().is_control() {
                write_control_record(&record, out)?;
            } else if self.args.cluster_metadata {
                write_metadata_record(&record, out)?;
            } else if self.args.records {
                write_record(&record, out)?;
            }
        }
        Ok(())
    }

    fn print_message_set(
        &mut self,
        entry: Bytes,
        position: u64,
        out: &mut dyn Write,
    ) -> Result<(), DumpError> {
        let message = Message::read(&entry).map_err(damaged)?;
        writeln!(
            out,
            "offset: {} position: {position} size: {} magic: {} compression: {} timestamp: {}",
            message.offset,
            entry.len(),
            message.magic,
            message.codec.name(),
            message.timestamp
        )?;
        let mut lines = Vec::new();
        let records = &mut self.records;
        let wanted = self.args.records;
        let visited = message.unwrap_each(INFLATED_BYTES_MAX, &mut self.scratch, |inner| {
            *records += 1;
            if wanted {
                let (key, value) = (
                    text::Quoted(inner.key.as_deref()),
                    text::Quoted(inner.value.as_deref()),
                );
                let line = format!(
                    "| offset: {} timestamp: {} key: {key} value: {value}\n",
                    inner.offset, inner.timestamp
                );
                lines.extend_from_slice(line.as_bytes());
            }
            Ok(())
        });
        out.write_all(&lines)?;
        visited.map_err(damaged)
    }
}

fn damaged(error: impl std::error::Error) -> DumpError {
    DumpError::damaged(error.to_string())
}

fn write_header(header: &BatchHeader, position: u64, out: &mut dyn Write) -> io::Result<()> {
    let attributes = header.attributes();
    let codec = attributes.codec().map_or("unknown", |codec| codec.name());
    let time = match attributes.timestamp_type() {
        TimestampType::CreateTime => "CreateTime",
        TimestampType::LogAppendTime => "LogAppendTime",
    };
    writeln!(
        out,
        "baseOffset: {} lastOffset: {} count: {} position: {position} size: {} partitionLeaderEpoch: {} magic: {} \
         compression: {codec} {time}: {} producerId: {} producerEpoch: {} baseSequence: {} lastSequence: {} \
         isTransactional: {} isControl: {} crc: {:#010x}",
        header.base_offset(),
        header.last_offset(),
        header.record_count(),
        header.total_size(),
        header.leader_epoch().0,
        header.magic(),
        header.max_timestamp(),
        header.producer_id(),
        header.producer_epoch(),
        header.base_sequence(),
        header.last_sequence(),
        attributes.is_transactional(),
        attributes.is_control(),
        header.crc(),
    )
}

fn write_record(record: &Record<'_>, out: &mut dyn Write) -> io::Result<()> {
    write!(
        out,
        "| offset: {} timestamp: {} key: {} value: {}",
        record.offset,
        record.timestamp,
        text::Quoted(record.key),
        text::Quoted(record.value)
    )?;
    if !record.headers.is_empty() {
        out.write_all(b" headers:")?;
        for (name, value) in record.headers.iter() {
            write!(out, " {}={}", text::Quoted(Some(name)), text::Quoted(value))?;
        }
    }
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{LeaderEpoch, Offset};
    use crate::wire::records::{BatchBuilder, Codec};

    fn batch(base_offset: i64, codec: Codec) -> Bytes {
        let mut batch = BatchBuilder::new(codec).placed(Offset(base_offset), LeaderEpoch(3));
        batch.append(
            1_000,
            Some(b"key"),
            Some(b"va\"lue"),
            &[("h", Some(b"x")), ("h", None)],
        );
        batch.append(1_001, None, None, &[]);
        batch.build()
    }

    fn dumped(bytes: &[u8], records: bool) -> (String, Result<(), String>) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let args = DumpLogArgs {
            files: Vec::new(),
            records,
            cluster_metadata: false,
            max_bytes: None,
        };
        let mut out = Vec::new();
        let done = dump_batches(file.as_file(), file.path(), &args, &mut out)
            .map_err(|error| error.to_string());
        (String::from_utf8(out).unwrap(), done)
    }

    #[test]
    fn batches_and_records_of_every_codec_are_printed() {
        for codec in Codec::ALL {
            let (out, done) = dumped(&[batch(0, codec), batch(2, codec)].concat(), true);
            done.unwrap();
            let lines: Vec<&str> = out.lines().collect();
            assert!(
                lines[3].starts_with("baseOffset: 2 lastOffset: 3 count: 2"),
                "{out}"
            );
            assert!(
                lines[3].contains(&format!("compression: {}", codec.name())),
                "{out}"
            );
            assert_eq!(
                lines[4],
                r#"| offset: 2 timestamp: 1000 key: "key" value: "va\"lue" headers: "h"="x" "h"=null"#
            );
            assert_eq!(
                lines[5],
                "| offset: 3 timestamp: 1001 key: null value: null"
            );
            assert!(lines[6].starts_with("2 batches, 4 records, "), "{out}");
        }
    }

    #[test]
    fn a_file_cut_off_anywhere_in_its_last_batch_is_damaged_there() {
        let (first, second) = (batch(0, Codec::None), batch(2, Codec::None));
        for length in 1..second.len() {
            let (out, done) = dumped(&[&first[..], &second[..length]].concat(), false);
            assert_eq!(out.lines().count(), 1, "{length}: {out}");
            assert!(
                done.unwrap_err()
                    .contains(&format!("at byte {}", first.len())),
                "{length}"
            );
        }
    }

    #[test]
    fn a_flipped_bit_is_reported_with_the_position_of_its_batch() {
        let first = batch(0, Codec::None);
        let mut bytes = [&first[..], &batch(2, Codec::None)].concat();
        *bytes.last_mut().unwrap() ^= 4;
        let (_, done) = dumped(&bytes, false);
        let error = done.unwrap_err();
        assert!(
            error.contains(&format!("at byte {}", first.len())) && error.contains("crc"),
            "{error}"
        );
    }

    #[test]
    fn preallocated_space_after_the_last_batch_is_no_damage() {
        let (out, done) = dumped(&[&batch(0, Codec::None)[..], &[0; 300]].concat(), false);
        done.unwrap();
        assert!(out.contains("1 batches, 2 records"), "{out}");
    }
}
