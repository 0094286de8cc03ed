//! `kafka-dump-log`: batches, records and indexes of a partition's files as Kafka's `DumpLogSegments` prints them.
//!
//! The files are read by the readers of `vltava dump-log`; only the printing is Kafka's here. What cannot be decoded is
//! refused, never left out.

mod indexes;

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::group_printer::GroupPrinter;
use super::metadata_json::{control_text, metadata_json};
use super::options::{Opt, Options, help_or_version};
use super::{CommandError, connecting};
use crate::cli::dump_log::{batches as reader, index, metadata_records, producer_snapshot};
use crate::wire::records::batch::{MAGIC_AT, advance_sequence};
use crate::wire::records::crc::crc32c;
use crate::wire::records::message_set::Message;
use crate::wire::records::{Batch, BatchHeader, Record, Scratch, TimestampType, batches};

pub const OPTIONS: &[Opt] = &[
    Opt::value(
        "files",
        "file1, file2, ...",
        "REQUIRED: The comma separated list of data and index log files to be dumped.",
    ),
    Opt::flag(
        "print-data-log",
        "If set, printing the record contents when dumping data logs.",
    ),
    Opt::flag(
        "deep-iteration",
        "If set, uses deep instead of shallow iteration. Automatically set if print-data-log is enabled.",
    ),
    Opt::flag(
        "verify-index-only",
        "If set, just verify the index log without printing its content.",
    ),
    Opt::flag(
        "index-sanity-check",
        "If set, just checks the index sanity without printing its content.",
    ),
    Opt::value(
        "max-message-size",
        "size",
        "Size of largest message. (default: 5242880)",
    ),
    Opt::value(
        "max-bytes",
        "size",
        "Limit the amount of total batches read in bytes. (default: 2147483647)",
    ),
    Opt::flag(
        "skip-record-metadata",
        "Skip metadata when printing records.",
    ),
    Opt::maybe(
        "value-decoder-class",
        "String",
        "Refused but for StringDecoder: no class of Java's can be loaded.",
    ),
    Opt::maybe(
        "key-decoder-class",
        "String",
        "Refused but for StringDecoder: no class of Java's can be loaded.",
    ),
    Opt::flag(
        "offsets-decoder",
        "If set, log data will be parsed as records of __consumer_offsets.",
    ),
    Opt::flag(
        "transaction-log-decoder",
        "Refused: there is no transaction log.",
    ),
    Opt::flag(
        "cluster-metadata-decoder",
        "If set, log data will be parsed as cluster metadata records.",
    ),
    Opt::flag(
        "share-group-state-decoder",
        "Refused: there are no share groups.",
    ),
    Opt::flag(
        "remote-log-metadata-decoder",
        "Refused: there is no remote storage.",
    ),
    connecting::HELP,
    connecting::VERSION,
];

/// What Kafka's options say of one run.
struct Dump {
    print_data: bool,
    deep: bool,
    skip_record_metadata: bool,
    metadata: bool,
    offsets: bool,
    verify_only: bool,
    sanity_only: bool,
    max_bytes: Option<u64>,
    max_message_bytes: usize,
    scratch: Scratch,
}

/// A batch that inflates to more than this is damaged or hostile.
const INFLATED_BYTES_MAX: u64 = 1 << 30;
/// Index files are read whole.
const INDEX_BYTES_MAX: u64 = 1 << 30;
const MAX_MESSAGE_BYTES: usize = 5 << 20;

/// Prints the files.
///
/// # Errors
/// When the command line is wrong, or a file cannot be read.
pub fn run(args: &[String], out: &mut dyn Write) -> Result<(), CommandError> {
    let options = Options::parse(OPTIONS, args)?;
    if help_or_version(
        &options,
        "This tool helps to parse a log file and dump its contents to the console, useful for debugging a seemingly corrupt log segment.",
        out,
    )? {
        return Ok(());
    }
    let files = options
        .value("files")
        .ok_or_else(|| CommandError::usage("Missing required argument \"[files]\""))?;
    let mut dump = Dump::of(&options)?;
    for path in files.split(',').map(|path| PathBuf::from(path.trim())) {
        writeln!(out, "Dumping {}", path.display())?;
        dump.file(&path, out)?;
    }
    Ok(())
}

fn failed(path: &Path, why: impl std::fmt::Display) -> CommandError {
    CommandError::failed(format!("{}: {why}", path.display()))
}

impl Dump {
    fn of(options: &Options) -> Result<Dump, CommandError> {
        for name in [
            "transaction-log-decoder",
            "share-group-state-decoder",
            "remote-log-metadata-decoder",
        ] {
            if options.has(name) {
                return Err(CommandError::failed(format!(
                    "--{name}: this program cannot decode such records; --print-data-log prints them as text"
                )));
            }
        }
        for name in ["value-decoder-class", "key-decoder-class"] {
            if let Some(class) = options.value(name)
                && !class.ends_with(".StringDecoder")
            {
                return Err(CommandError::failed(format!(
                    "--{name} {class}: no class of Java's can be loaded; records are printed as text"
                )));
            }
        }
        let metadata = options.has("cluster-metadata-decoder");
        let decoder = options.has("value-decoder-class") || options.has("key-decoder-class");
        let offsets = options.has("offsets-decoder");
        let print_data = options.has("print-data-log") || metadata || offsets || decoder;
        Ok(Dump {
            print_data,
            deep: options.has("deep-iteration") || print_data,
            skip_record_metadata: options.has("skip-record-metadata"),
            metadata,
            offsets,
            verify_only: options.has("verify-index-only"),
            sanity_only: options.has("index-sanity-check"),
            max_bytes: options.number("max-bytes")?,
            max_message_bytes: options
                .number("max-message-size")?
                .unwrap_or(MAX_MESSAGE_BYTES),
            scratch: Scratch::default(),
        })
    }

    fn file(&mut self, path: &Path, out: &mut dyn Write) -> Result<(), CommandError> {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let (stem, suffix) = name.rsplit_once('.').unwrap_or((&name, ""));
        let base_offset = || {
            stem.parse::<i64>()
                .map_err(|_| failed(path, format!("its name begins with no offset: {stem}")))
        };
        match suffix {
            "log" => {
                writeln!(out, "Log starting offset: {}", base_offset()?)?;
                self.log(path, &name, out)
            }
            "checkpoint"
                if name.contains('-') && stem.starts_with(|c: char| c.is_ascii_digit()) =>
            {
                let (offset, epoch) = stem.split_once('-').unwrap_or((stem, "0"));
                let number = |text: &str| text.trim_start_matches('0').parse::<i64>().unwrap_or(0);
                writeln!(
                    out,
                    "Snapshot end offset: {}, epoch: {}",
                    number(offset),
                    number(epoch)
                )?;
                self.log(path, &name, out)
            }
            "index" => self.offset_index(path, base_offset()?, out),
            "timeindex" => self.time_index(path, base_offset()?, out),
            "txnindex" => {
                let bytes = indexes::read(path)?;
                print_entries(path, index::aborted_entries(&bytes, out))
            }
            "snapshot" => {
                let bytes = indexes::read(path)?;
                print_entries(path, producer_snapshot::print_as_kafka(&bytes, out))
            }
            _ => {
                out.flush()?;
                eprintln!("Ignoring unknown file {}", path.display());
                Ok(())
            }
        }
    }

    fn log(&mut self, path: &Path, name: &str, out: &mut dyn Write) -> Result<(), CommandError> {
        let file = File::open(path).map_err(|error| failed(path, error))?;
        let end = file.metadata().map_err(|error| failed(path, error))?.len();
        let stop = self.max_bytes.unwrap_or(end).min(end);
        let mut gaps = Gaps::default();
        let mut position = 0;
        while position < stop {
            let Ok(Some(size)) = reader::entry_size(&file, position, end) else {
                break;
            };
            if self.max_bytes.is_some() && position + size as u64 > stop {
                break;
            }
            let mut entry = vec![0; size];
            file.read_exact_at(&mut entry, position)
                .map_err(|error| failed(path, error))?;
            self.entry(Bytes::from(entry), position, &mut gaps, out)?;
            position += size as u64;
        }
        if position < end && self.max_bytes.is_none() {
            writeln!(
                out,
                "Found {} invalid bytes at the end of {name}",
                end - position
            )?;
        }
        gaps.report(path, out)?;
        Ok(())
    }

    fn entry(
        &mut self,
        entry: Bytes,
        position: u64,
        gaps: &mut Gaps,
        out: &mut dyn Write,
    ) -> Result<(), CommandError> {
        if entry[MAGIC_AT] < 2 {
            return self.message(&entry, position, out);
        }
        let Some(Ok(batch)) = batches(entry.clone()).next() else {
            writeln!(
                out,
                "position: {position} size: {} isvalid: false",
                entry.len()
            )?;
            return Ok(());
        };
        let valid = entry.len() > CRC_FROM && crc32c(&entry[CRC_FROM..]) == batch.header().crc();
        write_batch(batch.header(), position, valid, out)?;
        if !self.deep {
            return Ok(());
        }
        self.records(batch, gaps, out)
    }

    fn records(
        &mut self,
        batch: Batch,
        gaps: &mut Gaps,
        out: &mut dyn Write,
    ) -> Result<(), CommandError> {
        let header = *batch.header();
        let damaged = |why: String| {
            CommandError::failed(format!(
                "the batch at offset {} is damaged: {why}",
                header.base_offset()
            ))
        };
        let records = batch
            .records(INFLATED_BYTES_MAX, &mut self.scratch)
            .map_err(|error| damaged(error.to_string()))?;
        for record in &records {
            let record = record.map_err(|error| damaged(error.to_string()))?;
            gaps.visit(record.offset.0);
            self.record(&header, &record, out)?;
        }
        Ok(())
    }

    fn record(
        &self,
        header: &BatchHeader,
        record: &Record<'_>,
        out: &mut dyn Write,
    ) -> Result<(), CommandError> {
        let is_control = header.attributes().is_control();
        write!(out, "|")?;
        if !self.skip_record_metadata {
            write_record_metadata(header, record, out)?;
            if is_control {
                let (key, value) = (record.key.unwrap_or_default(), record.value);
                match control_text(key, value.unwrap_or_default()) {
                    Some(text) => write!(out, " {text}")?,
                    None => {
                        let text = metadata_records::control_text(record);
                        write!(out, "{}", text.map_err(dump_failed)?)?;
                    }
                }
            }
        }
        if self.offsets && !is_control {
            write_group_record(record, out)?;
        } else if self.print_data && !is_control {
            if let Some(key) = record.key {
                write!(out, " key: {}", String::from_utf8_lossy(key))?;
            }
            if self.metadata {
                let value = Bytes::copy_from_slice(record.value.unwrap_or_default());
                let said = metadata_json(&value).map_or_else(
                    |error| format!("Error at {}, skipping. {error}", record.offset),
                    |json| json.to_string(),
                );
                write!(out, " payload: {said}")?;
            } else if let Some(value) = record.value {
                write!(out, " payload: {}", String::from_utf8_lossy(value))?;
            }
        }
        writeln!(out)?;
        Ok(())
    }

    /// A message of the formats before batches, with those inside it.
    fn message(
        &mut self,
        entry: &Bytes,
        position: u64,
        out: &mut dyn Write,
    ) -> Result<(), CommandError> {
        let message = Message::read(entry).map_err(|error| {
            CommandError::failed(format!("the message at byte {position}: {error}"))
        })?;
        let crc = u32::from_be_bytes([entry[12], entry[13], entry[14], entry[15]]);
        writeln!(
            out,
            "offset: {} position: {position} CreateTime: {} size: {} magic: {} compresscodec: {} crc: {crc} isvalid: true",
            message.offset,
            message.timestamp,
            entry.len(),
            message.magic,
            message.codec.name(),
        )?;
        if !self.deep {
            return Ok(());
        }
        let print_data = self.print_data;
        let mut lines = String::new();
        let visited = message.unwrap_each(INFLATED_BYTES_MAX, &mut self.scratch, |inner| {
            let size = |bytes: Option<&[u8]>| bytes.map_or(-1, |bytes| bytes.len() as i64);
            let (key, value) = (inner.key.as_deref(), inner.value.as_deref());
            lines += &format!(
                "| offset: {} CreateTime: {} keySize: {} valueSize: {}",
                inner.offset,
                inner.timestamp,
                size(key),
                size(value)
            );
            for (what, bytes) in [(" key: ", key), (" payload: ", value)] {
                if let Some(bytes) = bytes.filter(|_| print_data) {
                    lines += what;
                    lines += &String::from_utf8_lossy(bytes);
                }
            }
            lines.push('\n');
            Ok(())
        });
        out.write_all(lines.as_bytes())?;
        visited.map_err(|error| {
            CommandError::failed(format!("the message at byte {position}: {error}"))
        })
    }
}

/// Where the bytes begin that a batch's CRC is of.
const CRC_FROM: usize = 21;

fn dump_failed(error: crate::cli::dump_log::DumpError) -> CommandError {
    CommandError::failed(error.to_string())
}

/// A record of `__consumer_offsets`; of one that means nothing here its type, as Kafka words it.
fn write_group_record(record: &Record<'_>, out: &mut dyn Write) -> Result<(), CommandError> {
    let key = record.key.unwrap_or_default();
    match GroupPrinter::dumped(key, record.value) {
        Some((key, value)) => write!(out, " key: {key} payload: {value}")?,
        None => {
            let kind = key
                .first_chunk()
                .map_or(-1, |kind| i16::from_be_bytes(*kind));
            let at = record.offset;
            write!(
                out,
                " key: Unknown record type {kind} at offset {at}, skipping."
            )?;
        }
    }
    Ok(())
}

fn print_entries(
    path: &Path,
    printed: Result<usize, crate::cli::dump_log::DumpError>,
) -> Result<(), CommandError> {
    printed.map(|_| ()).map_err(|error| failed(path, error))
}

fn absolute(path: &Path) -> String {
    std::path::absolute(path)
        .unwrap_or_else(|_| path.to_owned())
        .display()
        .to_string()
}

fn time_name(header: &BatchHeader) -> &'static str {
    match header.attributes().timestamp_type() {
        TimestampType::CreateTime => "CreateTime",
        TimestampType::LogAppendTime => "LogAppendTime",
    }
}

fn write_batch(
    header: &BatchHeader,
    position: u64,
    valid: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let attributes = header.attributes();
    let horizon = match attributes.has_delete_horizon() {
        true => format!("OptionalLong[{}]", header.base_timestamp()),
        false => "OptionalLong.empty".to_owned(),
    };
    write!(
        out,
        "baseOffset: {} lastOffset: {} count: {} baseSequence: {} lastSequence: {} producerId: {} producerEpoch: {} \
         partitionLeaderEpoch: {} isTransactional: {} isControl: {} deleteHorizonMs: {horizon}",
        header.base_offset(),
        header.last_offset(),
        header.record_count(),
        header.base_sequence(),
        header.last_sequence(),
        header.producer_id(),
        header.producer_epoch(),
        header.leader_epoch().0,
        attributes.is_transactional(),
        attributes.is_control(),
    )?;
    writeln!(
        out,
        " position: {position} {}: {} size: {} magic: {} compresscodec: {} crc: {} isvalid: {valid}",
        time_name(header),
        header.max_timestamp(),
        header.total_size(),
        header.magic(),
        attributes.codec().map_or("unknown", |codec| codec.name()),
        header.crc(),
    )
}

fn write_record_metadata(
    header: &BatchHeader,
    record: &Record<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let size = |bytes: Option<&[u8]>| bytes.map_or(-1, |bytes| bytes.len() as i64);
    let delta = i32::try_from(record.offset.0 - header.base_offset().0).unwrap_or(0);
    let sequence = match header.base_sequence() {
        -1 => -1,
        base => advance_sequence(base, delta),
    };
    let names: Vec<String> = record
        .headers
        .iter()
        .map(|(name, _)| String::from_utf8_lossy(name).into_owned())
        .collect();
    write!(
        out,
        " offset: {} {}: {} keySize: {} valueSize: {} sequence: {sequence} headerKeys: [{}]",
        record.offset,
        time_name(header),
        record.timestamp,
        size(record.key),
        size(record.value),
        names.join(","),
    )
}

/// Offsets that do not follow one another.
#[derive(Default)]
struct Gaps {
    last: Option<i64>,
    found: Vec<(i64, i64)>,
}

impl Gaps {
    fn visit(&mut self, offset: i64) {
        if let Some(last) = self.last.filter(|last| offset != last + 1) {
            self.found.push((last, offset));
        }
        self.last = Some(offset);
    }

    fn report(&self, path: &Path, out: &mut dyn Write) -> io::Result<()> {
        if !self.found.is_empty() {
            out.flush()?;
            eprintln!("Non-consecutive offsets in {}", absolute(path));
        }
        for (first, second) in self.found.iter().rev() {
            eprintln!("  {first} is followed by {second}");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
