//! The batches of a log, one after the other, and what its indexes say of them.

use std::fs::File;
use std::path::PathBuf;

use bytes::Bytes;

use super::damage::Damage;
use super::directory::Files;
use super::index_entries::{OffsetEntries, TimeEntries, WrongEntry};
use super::{Check, Facts, Finding, Repair};
use crate::limits;
use crate::log::error::LogError;
use crate::log::file_names::{self, FileKind};
use crate::log::recovery::out_of_place;
use crate::log::scan::BatchFrame;
use crate::log::walker::{Found, SegmentWalker};
use crate::types::{LeaderEpoch, Offset};
use crate::wire::records::{Batch, BatchHeader, Scratch};

/// A segment that is being looked at.
pub(super) struct Segment {
    pub(super) base: Offset,
    pub(super) path: PathBuf,
    pub(super) size: u64,
    /// No later segment has a byte.
    pub(super) last: bool,
    /// Another segment follows, so its index files are complete.
    pub(super) sealed: bool,
    /// Whether a start after this stop computes its checksums.
    pub(super) recovered: bool,
    /// Where the next batch may begin at the earliest.
    pub(super) end: Offset,
    pub(super) batches: u64,
    pub(super) largest_timestamp: i64,
    pub(super) damaged: bool,
    pub(super) last_epoch: Option<LeaderEpoch>,
    pub(super) wrong_epoch: bool,
    pub(super) offsets: Option<OffsetEntries>,
    pub(super) times: Option<TimeEntries>,
}

impl Check<'_> {
    /// Looks at every segment.
    pub(super) fn segments(&mut self, files: &Files) -> Result<Facts, LogError> {
        let mut facts = Facts {
            segments: files.logs.len(),
            ..Facts::default()
        };
        let Some(start) = files.logs.keys().next() else {
            let then = match self.expected.metadata {
                true => {
                    "a start refuses a metadata log without records where partitions have some: restore the folder"
                }
                false => {
                    "a start begins the log empty, at offset 0: restore the files if there were any"
                }
            };
            self.found(Finding::new(self.dir, "has no segment", then));
            return Ok(facts);
        };
        (facts.start, facts.end) = (*start, *start);
        let bases: Vec<Offset> = files.logs.keys().copied().collect();
        for (at, base) in bases.iter().enumerate() {
            let segment = self.begin_segment(files, &bases[at..], facts.end)?;
            let done = self.segment(segment)?;
            facts.batches += done.batches;
            facts.end = done.end.max(*base);
        }
        Ok(facts)
    }

    /// `bases` begins with the segment's own.
    fn begin_segment(
        &mut self,
        files: &Files,
        bases: &[Offset],
        end: Offset,
    ) -> Result<Segment, LogError> {
        let base = bases[0];
        let path = file_names::path_of(self.dir, base, FileKind::Log);
        if base > end && !self.expected.compacted {
            let what = format!("offsets {end} to {} before it are missing", base + -1);
            let then = "a start does not notice; restore the segment that held them from a copy";
            self.found(Finding::new(&path, what, then).at(0, end));
        }
        let later = bases[1..]
            .iter()
            .any(|next| files.logs.get(next) > Some(&0));
        let recovered = !self.expected.clean
            && bases
                .get(1)
                .is_none_or(|next| *next > self.expected.recovery_point);
        let mut segment = Segment {
            base,
            size: files.logs.get(&base).copied().unwrap_or(0),
            path,
            last: !later,
            sealed: bases.len() > 1,
            recovered,
            end: end.max(base),
            batches: 0,
            largest_timestamp: -1,
            damaged: false,
            last_epoch: None,
            wrong_epoch: false,
            offsets: None,
            times: None,
        };
        self.open_indexes(files, &mut segment)?;
        Ok(segment)
    }

    fn open_indexes(&mut self, files: &Files, segment: &mut Segment) -> Result<(), LogError> {
        let base = segment.base;
        for (kind, set) in [
            (FileKind::OffsetIndex, &files.offset_indexes),
            (FileKind::TimeIndex, &files.time_indexes),
        ] {
            let path = file_names::path_of(self.dir, base, kind);
            if !set.contains(&base) {
                // After a crash a start makes these as a matter of course.
                if segment.size > 0 && !segment.recovered {
                    let finding = Finding::new(&path, "is missing", REBUILT);
                    self.found(finding.repaired_by(self.indexes(base)));
                }
                continue;
            }
            let failed = |error| LogError::storage("read", &path, error);
            let wrong = if kind == FileKind::OffsetIndex {
                let opened = OffsetEntries::open(&path, base).map_err(failed)?;
                opened.map(|entries| segment.offsets = Some(entries)).err()
            } else {
                let opened = TimeEntries::open(&path, base).map_err(failed)?;
                opened.map(|entries| segment.times = Some(entries)).err()
            };
            if let Some(wrong) = wrong {
                self.wrong_entry(segment, kind, wrong);
            }
        }
        Ok(())
    }

    fn segment(&mut self, mut segment: Segment) -> Result<Segment, LogError> {
        let path = segment.path.clone();
        let failed = |error| LogError::storage("read", &path, error);
        let file = File::open(&path).map_err(failed)?;
        let mut walker = SegmentWalker::checking(file, segment.size);
        loop {
            let before = walker.position();
            let damage = match walker.look().map_err(failed)? {
                Found::End => break,
                Found::Damage(reason) => Some(reason),
                Found::Batch(frame) => self
                    .batch(&mut walker, &mut segment, &frame)
                    .map_err(failed)?,
            };
            if let Some(reason) = damage {
                let next = walker.next_sound(segment.end).map_err(failed)?;
                let next = match next {
                    Some(next) => Some((next, offset_at(&mut walker, next).map_err(failed)?)),
                    None => None,
                };
                self.damage(&mut segment, before, &Damage { reason, next });
                let Some((next, offset)) = next else {
                    self.listener.passed(segment.size - before);
                    break;
                };
                walker.go_to(next);
                self.skip(&mut segment, next, offset).map_err(failed)?;
            }
            self.listener.passed(walker.position() - before);
        }
        self.end_segment(&mut segment);
        Ok(segment)
    }

    /// Takes in a batch and passes it; what is wrong with it otherwise.
    fn batch(
        &mut self,
        walker: &mut SegmentWalker,
        segment: &mut Segment,
        frame: &BatchFrame,
    ) -> std::io::Result<Option<String>> {
        let position = walker.position();
        if let Some(reason) = out_of_place(frame, segment.base, segment.end) {
            return Ok(Some(reason));
        }
        if let Err(reason) = walker.check(frame)? {
            return Ok(Some(reason));
        }
        if let Some(reason) = self.wrong_gap(walker, segment, frame)? {
            return Ok(Some(reason));
        }
        if frame.magic >= 2 {
            let records = self.expected.batches;
            let bytes = match records {
                true => walker.batch(frame)?,
                false => walker.head()?,
            };
            if let Some(reason) = wrong_count(bytes) {
                return Ok(Some(reason));
            }
            if records {
                if let Some(reason) = wrong_records(bytes) {
                    return Ok(Some(reason));
                }
                self.listener.batch(&segment.path, position, bytes);
            }
        }
        let aborted = frame.record_in(&mut self.producers);
        // Of those that a start recovers it makes the indexes again.
        if let Some(aborted) = aborted.filter(|_| !segment.recovered) {
            let marker = (aborted.last_offset, aborted.producer_id);
            self.aborted.insert(marker, segment.base);
        }
        self.epoch(segment, position, frame);
        self.entries(segment, position, frame)?;
        segment.end = frame.next_offset();
        segment.batches += 1;
        segment.largest_timestamp = segment.largest_timestamp.max(frame.max_timestamp);
        walker.pass(frame);
        Ok(None)
    }

    /// Offsets that are missing before a batch: the batch's own fault if the one behind it goes back, for no checksum covers the
    /// base offset.
    fn wrong_gap(
        &mut self,
        walker: &mut SegmentWalker,
        segment: &Segment,
        frame: &BatchFrame,
    ) -> std::io::Result<Option<String>> {
        // A compressed message of an older format is known by its last offset only.
        if frame.base_offset <= segment.end || frame.magic < 2 {
            return Ok(None);
        }
        if let Some(reason) = walker.moved(frame, segment.end)? {
            return Ok(Some(reason));
        }
        if !self.expected.compacted {
            let what = format!(
                "offsets {} to {} before it are missing",
                segment.end,
                frame.base_offset + -1
            );
            let then = "a start does not notice; restore the file from a copy";
            let finding = Finding::new(&segment.path, what, then);
            self.found(finding.at(walker.position(), segment.end));
        }
        Ok(None)
    }

    /// The leader epoch of a batch, which no checksum covers, against the checkpoint.
    fn epoch(&mut self, segment: &mut Segment, position: u64, frame: &BatchFrame) {
        if frame.leader_epoch.0 < 0 {
            return;
        }
        let last = segment.last_epoch.replace(frame.leader_epoch);
        if last.is_some_and(|last| last > frame.leader_epoch) {
            let what = format!(
                "leader epoch {} follows {}",
                frame.leader_epoch.0,
                last.unwrap_or_default().0
            );
            return self.wrong_epoch(segment, position, frame, what);
        }
        let Some(epochs) = &self.epochs else { return };
        let known = epochs.epoch_at(frame.base_offset);
        let newer = epochs
            .latest()
            .is_none_or(|latest| frame.leader_epoch > latest);
        // After a crash an epoch may not have come to the disk yet.
        let unknown = known.is_none() || newer && segment.recovered;
        if unknown || known == Some(frame.leader_epoch) {
            return;
        }
        let what = format!(
            "leader epoch {} stands where {} has {}",
            frame.leader_epoch.0,
            file_names::LEADER_EPOCH_CHECKPOINT,
            known.unwrap_or_default().0
        );
        self.wrong_epoch(segment, position, frame, what);
    }

    /// Tells of the first wrong leader epoch of a segment.
    fn wrong_epoch(
        &mut self,
        segment: &mut Segment,
        position: u64,
        frame: &BatchFrame,
        what: String,
    ) {
        if !std::mem::replace(&mut segment.wrong_epoch, true) {
            let then =
                "a start does not look at it, its records are served; restore the file from a copy";
            let finding = Finding::new(&segment.path, what, then);
            self.found(finding.at(position, frame.base_offset));
        }
    }

    fn entries(
        &mut self,
        segment: &mut Segment,
        position: u64,
        frame: &BatchFrame,
    ) -> std::io::Result<()> {
        if let Some(offsets) = &mut segment.offsets
            && let Err(wrong) = offsets.batch(position, frame)?
        {
            self.wrong_entry(segment, FileKind::OffsetIndex, wrong);
        }
        if let Some(times) = &mut segment.times
            && let Err(wrong) = times.batch(frame)?
        {
            self.wrong_entry(segment, FileKind::TimeIndex, wrong);
        }
        Ok(())
    }

    /// Goes on behind damage, with its indexes.
    fn skip(
        &mut self,
        segment: &mut Segment,
        position: u64,
        offset: Offset,
    ) -> std::io::Result<()> {
        segment.end = offset;
        if let Some(offsets) = &mut segment.offsets
            && let Err(wrong) = offsets.skip_to(position)?
        {
            self.wrong_entry(segment, FileKind::OffsetIndex, wrong);
        }
        if let Some(times) = &mut segment.times
            && let Err(wrong) = times.skip_to(offset)?
        {
            self.wrong_entry(segment, FileKind::TimeIndex, wrong);
        }
        Ok(())
    }

    fn end_segment(&mut self, segment: &mut Segment) {
        // What a damaged segment's indexes say of its end cannot be told from here.
        if segment.damaged {
            return;
        }
        // A recovery makes the indexes again; those of an active segment may have been of more than came to the disk.
        let (offsets, times) = (segment.offsets.take(), segment.times.take());
        if segment.recovered && !segment.sealed {
            return;
        }
        if let Some(Err(wrong)) = offsets.map(|offsets| offsets.end()) {
            self.wrong_entry(segment, FileKind::OffsetIndex, wrong);
        }
        let largest = segment.sealed.then_some(segment.largest_timestamp);
        if let Some(Err(wrong)) = times.map(|times| times.end(largest)) {
            self.wrong_entry(segment, FileKind::TimeIndex, wrong);
        }
    }

    fn wrong_entry(&mut self, segment: &mut Segment, kind: FileKind, wrong: WrongEntry) {
        match kind {
            FileKind::OffsetIndex => segment.offsets = None,
            _ => segment.times = None,
        }
        let path = file_names::path_of(self.dir, segment.base, kind);
        let mut finding = Finding::new(&path, wrong.what, REBUILT);
        finding.position = Some(wrong.position);
        if !segment.damaged {
            finding = finding.repaired_by(self.indexes(segment.base));
        }
        self.found(finding);
    }

    fn indexes(&self, base: Offset) -> Repair {
        Repair::Indexes {
            dir: self.dir.to_owned(),
            base,
        }
    }
}

const REBUILT: &str = "a start or the first read that meets it makes the file again";

fn offset_at(walker: &mut SegmentWalker, position: u64) -> std::io::Result<Offset> {
    let here = walker.position();
    walker.go_to(position);
    let found = walker.look();
    walker.go_to(here);
    Ok(match found? {
        Found::Batch(frame) => frame.base_offset,
        Found::End | Found::Damage(_) => Offset::ZERO,
    })
}

/// A number of records that its offsets leave no room for.
fn wrong_count(head: &[u8]) -> Option<String> {
    let header = BatchHeader::read(head).ok()?;
    let (count, most) = (header.record_count(), header.last_offset_delta());
    (count < 0 || i64::from(count) > i64::from(most) + 1).then(|| {
        format!(
            "{count} records cannot have {} offsets",
            i64::from(most) + 1
        )
    })
}

/// Records that are not as the header says although the checksum holds.
fn wrong_records(bytes: &[u8]) -> Option<String> {
    let batch = match Batch::new(Bytes::copy_from_slice(bytes)) {
        Ok(batch) => batch,
        Err(error) => return Some(error.to_string()),
    };
    let mut scratch = Scratch::default();
    match batch.records(limits::INFLATED_BATCH_BYTES, &mut scratch) {
        Ok(records) => records
            .iter()
            .find_map(|record| record.err().map(|error| error.to_string())),
        Err(error) => Some(error.to_string()),
    }
}
