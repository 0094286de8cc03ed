//! The way in after an unclean stop: check the tail, cut off what is torn or damaged, make the indexes and the producers again.
//!
//! Runs on a blocking thread. The rules, which are Kafka's (`LogLoader`, `LogSegment.recover`) unless the last column says
//! otherwise:
//!
//! | found | done | why, where it differs |
//! |---|---|---|
//! | segments before the recovery point | kept as they are; missing index files made again | |
//! | a batch that ends before the recovery point, in its segment | its head is read, its CRC is not computed | it was synced: a crash cannot have torn it |
//! | a batch after it that the mark of a dead process vouches for | its head is read, its CRC is not computed | `written_checkpoint` says why |
//! | any other batch after it | CRC, and offsets that only grow | |
//! | the first bad batch, or the middle of one at the end of the file | cut off, with all that follows, later segments included | |
//! | the same in a log that may lose nothing, synced or with a whole batch behind it | the log is not opened | no crash tears what is synced |
//! | after a cut | appends go to a new segment | pages that readers may hold are never written again |
//! | snapshots, epochs and index files past the new end | removed | |
//!
//! What was lost is logged, with offsets and bytes.

use std::sync::atomic::Ordering;

use super::error::LogError;
use super::file_names::{self, FileKind};
use super::index::MemoryIndex;
use super::load::{Cut, Loaded, LoadedSegment};
use super::loader::{Loader, indexed, recent_batch, remove};
use super::scan::BatchFrame;
use super::segment::AbortedIndex;
use super::transaction_index::AbortedTransaction;
use super::vouched::Vouched;
use super::walker::{Found, SegmentWalker};
use super::written_checkpoint::WrittenMark;
use crate::io::changes::{self, ChangeFile};
use crate::types::Offset;

/// Where the first bad batch of a segment is, and why it is bad.
struct Damage {
    position: u64,
    reason: String,
}

/// Recovers the log that `loader` has listed.
pub(super) fn recover(loader: Loader<'_>, recovery_point: Offset) -> Result<Loaded, LogError> {
    let recovered = recover_with(loader, recovery_point, None)?;
    Ok(recovered.unwrap_or_else(|reason| unreachable!("nothing was vouched for, but: {reason}")))
}

/// Recovers the log that `loader` has listed, of which `mark` says how far it was written before the process died; or why the
/// mark does not fit. The log is then to be listed again, and recovered without it.
pub(super) fn recover_written(
    loader: Loader<'_>,
    recovery_point: Offset,
    mark: &WrittenMark,
) -> Result<Result<Loaded, String>, LogError> {
    match loader.misfit(mark) {
        Some(reason) => Ok(Err(reason)),
        None => recover_with(loader, recovery_point, Some(mark)),
    }
}

fn recover_with(
    mut loader: Loader<'_>,
    recovery_point: Offset,
    mark: Option<&WrittenMark>,
) -> Result<Result<Loaded, String>, LogError> {
    let (mut segments, to_check) = loader.split_at(recovery_point)?;
    let mut end = to_check[0];
    loader.begin_producers(end)?;
    for (at, base) in to_check.iter().enumerate() {
        let checked = loader.check_segment(*base, end, recovery_point, mark)?;
        if let Some(doubt) = checked.doubt {
            return Ok(Err(doubt));
        }
        end = checked.end.max(*base);
        if let Some(damage) = &checked.damage {
            loader.refuse_unless_torn(*base, damage, end, &to_check[at + 1..])?;
        }
        let last = at + 1 == to_check.len();
        let keep_index = last && checked.damage.is_none();
        segments.push(loader.keep_checked(*base, checked.segment, keep_index)?);
        if let Some(damage) = checked.damage {
            loader.cut_off(*base, &damage, end, &to_check[at + 1..])?;
            loader.begin_anew(&mut segments, end)?;
            break;
        }
    }
    loader.drop_past(end)?;
    loader.finish_producers(end);
    let synced_end = recovery_point.clamp(loader.start(), end);
    if recovery_point > end {
        log::error!(
            "{}: the log was synced up to offset {recovery_point} and ends at {end}: the device lost records",
            loader.dir.display()
        );
    }
    loader.finish(segments, end, synced_end).map(Ok)
}

/// A segment after its check.
struct Checked {
    segment: LoadedSegment,
    end: Offset,
    damage: Option<Damage>,
    /// Why what was vouched for cannot be believed.
    doubt: Option<String>,
}

impl Loader<'_> {
    /// The segments that need no check, and the base offsets of those that do: from the one that holds the recovery point on.
    fn split_at(
        &mut self,
        recovery_point: Offset,
    ) -> Result<(Vec<LoadedSegment>, Vec<Offset>), LogError> {
        if self.sizes.is_empty() {
            self.create_segment(Offset::ZERO)?;
        }
        let sizes: Vec<(Offset, u64)> = self
            .sizes
            .iter()
            .map(|(base, size)| (*base, *size))
            .collect();
        let mut first = sizes
            .partition_point(|(base, _)| *base <= recovery_point)
            .saturating_sub(1);
        let mut kept = Vec::new();
        for (at, (base, size)) in sizes[..first].iter().enumerate() {
            if let Err(reason) = self.ensure_index_files(*base, *size)? {
                log::warn!("{reason}: checking from there");
                first = at;
                break;
            }
            kept.push(self.sealed(*base, *size));
        }
        Ok((kept, sizes[first..].iter().map(|(base, _)| *base).collect()))
    }

    /// Walks a segment's batches; `expected` is where the one before ended.
    fn check_segment(
        &mut self,
        base: Offset,
        expected: Offset,
        recovery_point: Offset,
        mark: Option<&WrittenMark>,
    ) -> Result<Checked, LogError> {
        let size = self.sizes.get(&base).copied().unwrap_or(0);
        let mut vouched = Vouched::in_segment(self, mark, base, size)?;
        let mut walker = SegmentWalker::checking(self.open(base)?, size);
        if vouched.denies_damage_at(0) {
            walker.look_at_heads(0);
        }
        let mut doubt = None;
        let mut index = MemoryIndex::new(base);
        let mut aborted = Vec::new();
        let mut segment = LoadedSegment {
            synced: 0,
            ..LoadedSegment::sealed(base, size)
        };
        let mut end = expected.max(base);
        let damage = loop {
            if vouched.is_missed(walker.position(), end) {
                doubt = Some(format!(
                    "no batch ends where the last write to segment {base} did"
                ));
                break None;
            }
            let frame = match walker
                .look()
                .map_err(|error| self.read_error(base, error))?
            {
                Found::End => break None,
                Found::Damage(reason) => break Some(reason),
                Found::Batch(frame) => frame,
            };
            if let Some(reason) = self.misplaced(&mut walker, &frame, base, end)? {
                break Some(reason);
            }
            let unsynced = frame.next_offset() > recovery_point;
            if let Some(reason) = self.check_batch(&mut walker, &vouched, &frame, base, unsynced)? {
                break Some(reason);
            }
            aborted.extend(self.take_in(&mut index, base, walker.position(), &frame));
            segment.first_timestamp.get_or_insert(frame.max_timestamp);
            end = frame.next_offset();
            walker.pass(&frame);
            if !unsynced {
                segment.synced = walker.position();
            }
        };
        segment.size = walker.position();
        segment.index = Some(index);
        segment.aborted = AbortedIndex::Memory(aborted);
        if let Some(reason) = &damage
            && vouched.denies_damage_at(segment.size)
        {
            doubt = Some(reason.clone());
        }
        let damage = damage.map(|reason| Damage {
            position: walker.position(),
            reason,
        });
        Ok(Checked {
            segment,
            end,
            damage,
            doubt,
        })
    }

    /// Why the batch at which the walk stands cannot follow what ended at `end`.
    fn misplaced(
        &self,
        walker: &mut SegmentWalker,
        frame: &BatchFrame,
        base: Offset,
        end: Offset,
    ) -> Result<Option<String>, LogError> {
        if let Some(reason) = out_of_place(frame, base, end) {
            return Ok(Some(reason));
        }
        let moved = walker.moved(frame, end);
        moved.map_err(|error| self.read_error(base, error))
    }

    /// What is wrong with the batch at which the walk stands, as far as it must be looked at.
    fn check_batch(
        &mut self,
        walker: &mut SegmentWalker,
        vouched: &Vouched,
        frame: &BatchFrame,
        base: Offset,
        unsynced: bool,
    ) -> Result<Option<String>, LogError> {
        if vouched.covers(walker.position(), frame) {
            walker.look_at_heads(frame.size);
            return Ok(None);
        }
        walker.look_at_all();
        if !unsynced {
            return Ok(None);
        }
        let checked = walker
            .check(frame)
            .map_err(|error| self.read_error(base, error))?;
        if checked.is_ok() {
            self.report.checked_bytes += frame.size;
            self.checked_bytes.fetch_add(frame.size, Ordering::Relaxed);
        }
        Ok(checked.err())
    }

    fn take_in(
        &mut self,
        index: &mut MemoryIndex,
        base: Offset,
        position: u64,
        frame: &BatchFrame,
    ) -> Option<AbortedTransaction> {
        index.append(
            indexed(position, frame),
            u64::from(self.config.index_interval_bytes),
        );
        self.recent.push(recent_batch(base, position, frame));
        self.epochs_changed |= self.epochs.assign(frame.leader_epoch, frame.base_offset);
        frame.record_in(&mut self.producers)
    }

    /// The active segment keeps its indexes in memory, the others get their files. What its transaction index file holds is not
    /// known to be right: it is written again when the segment is closed.
    fn keep_checked(
        &mut self,
        base: Offset,
        mut segment: LoadedSegment,
        keep_index: bool,
    ) -> Result<LoadedSegment, LogError> {
        if keep_index {
            self.write_transaction_index(base, Vec::new())?;
        } else if let Some(index) = segment.index.take() {
            if let AbortedIndex::Memory(aborted) = std::mem::take(&mut segment.aborted) {
                self.write_transaction_index(base, aborted)?;
            }
            self.keep_index(base, index)?;
            segment.aborted = self.sealed(base, segment.size).aborted;
        }
        self.sizes.insert(base, segment.size);
        Ok(segment)
    }

    /// Where nothing may be lost: an error if a whole batch follows the damage.
    fn refuse_unless_torn(
        &self,
        base: Offset,
        damage: &Damage,
        end: Offset,
        later: &[Offset],
    ) -> Result<(), LogError> {
        let Some(synced) = self.keep_all_before else {
            return Ok(());
        };
        let size = self.sizes_on_disk(base)?;
        let mut walker = SegmentWalker::checking(self.open(base)?, size);
        walker.go_to(damage.position);
        let next = walker
            .next_sound(end)
            .map_err(|error| self.read_error(base, error))?;
        let later = later.iter().any(|base| self.sizes.get(base) > Some(&0));
        let why = match next.is_none() && !later {
            true if end >= synced => return Ok(()),
            true => format!("records up to offset {synced} were on the disk"),
            false => "whole batches follow".to_owned(),
        };
        Err(LogError::Corrupt {
            path: file_names::path_of(self.dir, base, FileKind::Log),
            reason: format!(
                "at position {}, offset {end}: {}; {why}, so no crash has torn it",
                damage.position, damage.reason
            ),
        })
    }

    /// A checked segment's size is known as where its whole batches end.
    fn sizes_on_disk(&self, base: Offset) -> Result<u64, LogError> {
        let file = self.open(base)?;
        let metadata = file
            .metadata()
            .map_err(|error| self.read_error(base, error))?;
        Ok(metadata.len())
    }

    /// Takes the damaged end off the log, and says so.
    fn cut_off(
        &mut self,
        base: Offset,
        damage: &Damage,
        end: Offset,
        later: &[Offset],
    ) -> Result<(), LogError> {
        let path = file_names::path_of(self.dir, base, FileKind::Log);
        let failed = |error| LogError::storage("truncate", &path, error);
        let file = ChangeFile::open(&path).map_err(failed)?;
        self.changed = true;
        let mut lost_bytes = file.file().metadata().map_err(failed)?.len() - damage.position;
        file.set_len(damage.position)
            .and_then(|()| file.sync())
            .map_err(failed)?;
        for dropped in later {
            lost_bytes += self.sizes.remove(dropped).unwrap_or(0);
            remove(&file_names::path_of(self.dir, *dropped, FileKind::Log))?;
        }
        log::error!(
            "{} at position {}: {}; {lost_bytes} bytes from offset {end} on are cut off, {} later segments with them",
            path.display(),
            damage.position,
            damage.reason,
            later.len()
        );
        self.report.cut = Some(Cut {
            path,
            position: damage.position,
            offset: end,
            lost_bytes,
            dropped_segments: later.len(),
            reason: damage.reason.clone(),
        });
        Ok(())
    }

    /// A new active segment at `end`. One that was cut to nothing gives way to it.
    fn begin_anew(
        &mut self,
        segments: &mut Vec<LoadedSegment>,
        end: Offset,
    ) -> Result<(), LogError> {
        if let Some(emptied) = segments.pop_if(|segment| segment.size == 0) {
            self.sizes.remove(&emptied.base_offset);
            for kind in [
                FileKind::Log,
                FileKind::OffsetIndex,
                FileKind::TimeIndex,
                FileKind::TransactionIndex,
            ] {
                remove(&file_names::path_of(self.dir, emptied.base_offset, kind))?;
            }
        }
        self.create_segment(end)?;
        segments.push(LoadedSegment {
            index: Some(MemoryIndex::new(end)),
            aborted: AbortedIndex::Memory(Vec::new()),
            ..LoadedSegment::sealed(end, 0)
        });
        Ok(())
    }

    /// Removes what belongs to offsets past the end, and makes what recovery has changed in the directory durable. Names that
    /// the stopped run made are left to the next sync (`recovered`).
    fn drop_past(&mut self, end: Offset) -> Result<(), LogError> {
        let known = &self.sizes;
        for entry in std::fs::read_dir(self.dir)
            .map_err(|error| LogError::storage("list", self.dir, error))?
        {
            let entry = entry.map_err(|error| LogError::storage("list", self.dir, error))?;
            let stray = match file_names::parse(&entry.file_name()) {
                Some((offset, FileKind::Snapshot)) => offset > end,
                Some((_, FileKind::Log)) | None => false,
                Some((offset, _)) => !known.contains_key(&offset),
            };
            if stray {
                self.changed = true;
                remove(&entry.path())?;
            }
        }
        self.snapshots.retain(|offset| *offset <= end);
        self.epochs_changed |= self.epochs.truncate_from(end + 1);
        if self.epochs_changed {
            self.keep_epochs()?;
        }
        if !self.changed {
            return Ok(());
        }
        changes::sync_dir(self.dir).map_err(|error| LogError::storage("fsync", self.dir, error))
    }
}

/// Why a batch cannot follow what was found before it.
pub(super) fn out_of_place(frame: &BatchFrame, base: Offset, expected: Offset) -> Option<String> {
    if frame.base_offset < expected && frame.magic >= 2 || frame.last_offset < expected {
        return Some(format!("offset {} follows {expected}", frame.base_offset));
    }
    (frame.last_offset - base > i64::from(i32::MAX))
        .then(|| format!("offset {} is too far on", frame.last_offset))
}
