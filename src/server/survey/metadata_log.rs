//! The metadata as a directory has it: the newest snapshot, the log behind it, who votes, and what a cluster that never ran
//! was formatted with.

use super::SurveyError;
use crate::limits::INFLATED_BATCH_BYTES;
use crate::log::survey::{Ended, each_batch, each_batch_of_file, first_offset};
use crate::metadata::Image;
use crate::metadata::features::METADATA_VERSION;
use crate::metadata::quorum::Quorum;
use crate::types::{LeaderEpoch, Offset};
use crate::wire::control_records::ControlRecord;
use crate::wire::metadata_records::MetadataRecord;
use crate::wire::records::{Batch, Scratch};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Beside the partitions: the records a new cluster begins with, as `kafka-storage format` was told.
const BOOTSTRAP: &str = "bootstrap.checkpoint";
const QUORUM_STATE: &str = "quorum-state";
const SNAPSHOT_ENDING: &str = ".checkpoint";

/// What was read.
pub(super) struct MetadataLog {
    pub(super) image: Image,
    pub(super) quorum: Quorum,
    /// For a log that has no records yet.
    pub(super) bootstrap: Vec<MetadataRecord>,
}

impl MetadataLog {
    /// The image to judge: a cluster that never ran is what its first records will make of it.
    pub(super) fn judged(&self) -> Image {
        let end = self.image.end() + self.bootstrap.len() as i64;
        // They have been applied once already.
        let bootstrapped = self.image.apply(&self.bootstrap, end);
        bootstrapped.unwrap_or_else(|_| self.image.clone())
    }
}

/// Reads the log in `metadata_dir`, which lies in the data directory `dir`.
pub(super) fn read(dir: &Path, metadata_dir: &Path) -> Result<MetadataLog, SurveyError> {
    let mut reading = Reading::default();
    let snapshot = newest_snapshot(metadata_dir)?;
    if let Some(snapshot) = &snapshot {
        reading.take_snapshot(snapshot)?;
    }
    let from = reading.image.end();
    if let Some(first) = first_offset(metadata_dir)?
        && first > from
    {
        return Err(SurveyError::Metadata {
            path: metadata_dir.to_owned(),
            problem: format!(
                "the log begins at offset {first} and no snapshot ({SNAPSHOT_ENDING}) reaches that far; restore the directory from a copy"
            ),
        });
    }
    reading.take_log(metadata_dir, from)?;
    if reading.image.end() == from && from > Offset::ZERO && !reading.found_log {
        return Err(SurveyError::Metadata {
            path: metadata_dir.to_owned(),
            problem: format!(
                "the log ends before offset {from}, where its newest snapshot ends; start Kafka on the directory once, or restore it from a copy"
            ),
        });
    }
    reading.take_quorum_state(metadata_dir)?;
    let bootstrap = match reading.image.feature(METADATA_VERSION.name) {
        0 => bootstrap(&dir.join(BOOTSTRAP))?,
        _ => Vec::new(),
    };
    Ok(MetadataLog {
        image: reading.image,
        quorum: reading.quorum,
        bootstrap,
    })
}

/// A snapshot file: the end of the log it stands for, and the epoch of the last batch before.
struct Snapshot {
    path: PathBuf,
    end: Offset,
    epoch: LeaderEpoch,
}

/// `<20 digits of the end offset>-<10 digits of the epoch>.checkpoint`
fn parse_snapshot_name(name: &str) -> Option<(Offset, LeaderEpoch)> {
    let (end, epoch) = name.strip_suffix(SNAPSHOT_ENDING)?.split_once('-')?;
    let digits =
        |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(end, 20) || !digits(epoch, 10) {
        return None;
    }
    Some((Offset(end.parse().ok()?), LeaderEpoch(epoch.parse().ok()?)))
}

fn newest_snapshot(metadata_dir: &Path) -> Result<Option<Snapshot>, SurveyError> {
    let failed = |error| unreadable(metadata_dir, error);
    let mut newest: Option<Snapshot> = None;
    for entry in std::fs::read_dir(metadata_dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let Some((end, epoch)) = name.to_str().and_then(parse_snapshot_name) else {
            continue;
        };
        if newest
            .as_ref()
            .is_none_or(|newest| (newest.end, newest.epoch) < (end, epoch))
        {
            let path = entry.path();
            newest = Some(Snapshot { path, end, epoch });
        }
    }
    Ok(newest)
}

/// A reading in progress.
#[derive(Default)]
struct Reading {
    image: Image,
    quorum: Quorum,
    found_log: bool,
    scratch: Scratch,
}

impl Reading {
    fn take_snapshot(&mut self, snapshot: &Snapshot) -> Result<(), SurveyError> {
        self.take_file(&snapshot.path)?;
        let path = &snapshot.path;
        let ended = self.image.replay(&[], snapshot.end);
        ended.map_err(|source| SurveyError::Apply {
            path: path.clone(),
            source,
        })?;
        self.image.written_in(snapshot.epoch);
        self.quorum.written = snapshot.epoch;
        Ok(())
    }

    /// Takes a whole file of batches: nobody was writing it when the last broker ended.
    fn take_file(&mut self, path: &Path) -> Result<(), SurveyError> {
        let mut outcome = Ok(());
        let ended = each_batch_of_file(path, &mut |batch| {
            outcome = self.take(path, &batch);
            go_on_if(outcome.is_ok())
        })?;
        outcome?;
        match ended {
            Ended::Whole => Ok(()),
            Ended::Damaged(reason) => Err(SurveyError::Metadata {
                path: path.to_owned(),
                problem: format!("{reason}; restore the file from a copy"),
            }),
        }
    }

    fn take_log(&mut self, metadata_dir: &Path, from: Offset) -> Result<(), SurveyError> {
        let mut outcome = Ok(());
        // The batch before tells that the log reaches as far as the snapshot.
        let before = Offset((from.0 - 1).max(0));
        each_batch(metadata_dir, before, &mut |batch| {
            self.found_log = true;
            if batch.header().next_offset() > from {
                outcome = self.take(metadata_dir, &batch);
                let epoch = batch.header().leader_epoch();
                self.quorum.written = epoch;
                self.image.written_in(epoch);
            }
            go_on_if(outcome.is_ok())
        })?;
        outcome
    }

    fn take(&mut self, path: &Path, batch: &Batch) -> Result<(), SurveyError> {
        let decoded = self.decode(path, batch)?;
        let applied = self.image.replay(&decoded, batch.header().next_offset());
        applied.map_err(|source| SurveyError::Apply {
            path: path.to_owned(),
            source,
        })
    }

    /// The records of a batch; what control records say is taken at once.
    fn decode(&mut self, path: &Path, batch: &Batch) -> Result<Vec<MetadataRecord>, SurveyError> {
        let header = batch.header();
        let offset = header.base_offset();
        let wrong = |problem: String| SurveyError::Metadata {
            path: path.to_owned(),
            problem: format!("at offset {offset}: {problem}"),
        };
        let records = batch
            .records(INFLATED_BATCH_BYTES, &mut self.scratch)
            .map_err(|error| wrong(error.to_string()))?;
        let broken = |source| SurveyError::Record {
            path: path.to_owned(),
            offset,
            source,
        };
        let mut decoded = Vec::new();
        for record in records.iter() {
            let record = record.map_err(|error| wrong(error.to_string()))?;
            let value = records.keep(record.value.unwrap_or_default());
            if !header.attributes().is_control() {
                decoded.push(MetadataRecord::decode(value).map_err(broken)?);
            } else if let Some(&[_, _, high, low, ..]) = record.key {
                let kind = i16::from_be_bytes([high, low]);
                let control = ControlRecord::decode(kind, value).map_err(broken)?;
                control.iter().for_each(|control| self.quorum.take(control));
            }
        }
        Ok(decoded)
    }

    fn take_quorum_state(&mut self, metadata_dir: &Path) -> Result<(), SurveyError> {
        let path = metadata_dir.join(QUORUM_STATE);
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            text => text.map_err(|error| unreadable(&path, error))?,
        };
        let taken = self.quorum.take_state(&text);
        taken.map_err(|problem| SurveyError::Metadata {
            path,
            problem: format!("{problem}; restore the file from a copy"),
        })
    }
}

/// The first records of a cluster that was formatted and never ran.
fn bootstrap(path: &Path) -> Result<Vec<MetadataRecord>, SurveyError> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let mut records = Vec::new();
    let mut reading = Reading::default();
    let mut outcome = Ok(());
    each_batch_of_file(path, &mut |batch| {
        let taken = reading.decode(path, &batch);
        outcome = taken.map(|decoded| records.extend(decoded));
        go_on_if(outcome.is_ok())
    })?;
    outcome?;
    Ok(records)
}

fn go_on_if(fine: bool) -> ControlFlow<()> {
    match fine {
        true => ControlFlow::Continue(()),
        false => ControlFlow::Break(()),
    }
}

fn unreadable(path: &Path, error: io::Error) -> SurveyError {
    SurveyError::Metadata {
        path: path.to_owned(),
        problem: format!("cannot be read: {error}"),
    }
}
