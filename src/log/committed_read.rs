//! Reading committed records only: up to the last stable offset, with the transactions that were aborted on the way.
//!
//! The reader drops the records of those transactions, from where each began to its marker. So the list must be that of the very
//! segments that the bytes come from: compaction takes records, markers and entries out together, and an entry whose marker is
//! gone would hide what its producer wrote later. A plan whose segment was replaced before the list was begun is made anew.

use std::rc::Rc;

use super::error::LogError;
use super::index_file;
use super::partition_log::PartitionLog;
use super::read::{Place, ReadPlan, ReadView};
use super::segment::{AbortedIndex, Segment};
use super::transaction_index::{self, AbortedTransaction, ENTRY_BYTES};
use crate::io::SegmentFile;
use crate::types::Offset;

/// How often a plan is made anew at most.
const ATTEMPTS: usize = 3;
/// What is read of a transaction index file at a time: whole entries.
const PIECE_BYTES: u64 = 128 * ENTRY_BYTES as u64;

/// Where readers of committed records stop in a segment.
pub(super) struct StableEnd {
    /// The position of the first byte that is not theirs.
    pub(super) position: u64,
    /// An offset at or before which their last record ends.
    pub(super) offset: Offset,
}

impl ReadView {
    /// [`ReadView::plan`] for readers of committed records: nothing at or past the last stable offset, and with the
    /// transactions that were aborted among what is read.
    ///
    /// # Errors
    /// As [`ReadView::plan`].
    pub async fn plan_committed(
        &self,
        max_bytes: u32,
        at_least_one: bool,
    ) -> Result<(Option<ReadPlan>, Vec<AbortedTransaction>), LogError> {
        match self.plan_stable(max_bytes, at_least_one).await {
            // Its records were deleted meanwhile, and the names of files with them.
            Err(_) if self.from < self.log.log_start_offset() => Ok((None, Vec::new())),
            planned => planned,
        }
    }

    async fn plan_stable(
        &self,
        max_bytes: u32,
        at_least_one: bool,
    ) -> Result<(Option<ReadPlan>, Vec<AbortedTransaction>), LogError> {
        for _ in 0..ATTEMPTS {
            if self.from >= self.log.last_stable_offset() {
                break;
            }
            let Some(first) = self.log.find_batch(self.from).await? else {
                break;
            };
            let stable = self.log.stable_end(&first.segment).await?;
            let end = stable.position;
            let Some(plan) = self
                .plan_up_to(&first, end, max_bytes, at_least_one)
                .await?
            else {
                break;
            };
            let end = self.log.offset_after(&first, &plan, &stable).await?;
            let aborted = self
                .log
                .aborted_between(&first.segment, first.base_offset, end)
                .await?;
            if let Some(aborted) = aborted {
                return Ok((Some(plan), aborted));
            }
        }
        Ok((None, Vec::new()))
    }
}

impl PartitionLog {
    async fn stable_end(&self, segment: &Rc<Segment>) -> Result<StableEnd, LogError> {
        let (stable, known) = {
            let state = self.state.borrow();
            let after = state
                .segments
                .partition_point(|other| other.base_offset <= segment.base_offset);
            let next = state.segments.get(after).map(|next| next.base_offset);
            let stable = state.last_stable_offset();
            if stable == state.high_watermark || next.is_some_and(|next| next <= stable) {
                return Ok(StableEnd {
                    position: segment.committed.get(),
                    offset: next.unwrap_or(stable).min(stable),
                });
            }
            (stable, state.recent_place(stable))
        };
        // What was committed then stays where it is.
        let place = match known {
            Some(place) if Rc::ptr_eq(&place.segment, segment) => Some(place),
            _ => self.find_in_segment(segment, stable).await?,
        };
        Ok(StableEnd {
            position: place.map_or(segment.committed.get(), |place| place.position),
            offset: stable,
        })
    }

    /// An offset past the plan's last record; not far past it, where an index knows better than the end of the segment.
    async fn offset_after(
        &self,
        first: &Place,
        plan: &ReadPlan,
        stable: &StableEnd,
    ) -> Result<Offset, LogError> {
        let end = plan.position + u64::from(plan.len);
        if end >= stable.position || self.has_no_aborted(&first.segment) {
            return Ok(stable.offset);
        }
        let in_memory = first
            .segment
            .index
            .borrow()
            .as_ref()
            .map(|index| index.offset_at_or_behind(end));
        let known = match in_memory {
            Some(known) => known,
            None => index_file::offset_at_or_behind(&first.segment, end).await?,
        };
        Ok(known.map_or(stable.offset, |last| stable.offset.min(last + 1)))
    }

    /// Whether no segment from this one on has an abort marker: then where a plan ends need not be known.
    fn has_no_aborted(&self, first: &Rc<Segment>) -> bool {
        let state = self.state.borrow();
        let from = state
            .segments
            .partition_point(|segment| segment.base_offset < first.base_offset);
        state.segments[from..]
            .iter()
            .all(|segment| match &*segment.aborted.borrow() {
                AbortedIndex::Empty => true,
                AbortedIndex::Memory(aborted) => aborted.is_empty(),
                AbortedIndex::File { .. } => false,
            })
    }

    /// The aborted transactions that began before a segment's first offset, and whose marker does not lie before it.
    pub(super) async fn aborted_across(
        &self,
        base: Offset,
    ) -> Result<Vec<AbortedTransaction>, LogError> {
        let segment = self.state.borrow().segment_of(base);
        let Some(segment) = segment.filter(|segment| segment.base_offset == base) else {
            return Ok(Vec::new());
        };
        let aborted = self.aborted_between(&segment, base, base).await?;
        Ok(aborted.unwrap_or_default())
    }

    /// The aborted transactions that may have records between two offsets, the first of which lies in `first`; `None` if that
    /// is no longer one of the log's segments.
    async fn aborted_between(
        &self,
        first: &Rc<Segment>,
        from: Offset,
        end: Offset,
    ) -> Result<Option<Vec<AbortedTransaction>>, LogError> {
        let mut found = Vec::new();
        if self.has_no_aborted(first) {
            return Ok(self.has(first).then_some(found));
        }
        let segments = {
            let state = self.state.borrow();
            let mut known = state.segments.iter();
            let Some(at) = known.position(|segment| Rc::ptr_eq(segment, first)) else {
                return Ok(None);
            };
            state.segments[at..].to_vec()
        };
        for segment in &segments {
            let in_file = match &*segment.aborted.borrow() {
                AbortedIndex::Empty => false,
                AbortedIndex::Memory(aborted) => {
                    let begin = aborted.partition_point(|one| one.last_offset < from);
                    if take_overlapping(&aborted[begin..], from, end, &mut found) {
                        break;
                    }
                    false
                }
                AbortedIndex::File { .. } => true,
            };
            if in_file && read_overlapping(segment, from, end, &mut found).await? {
                break;
            }
        }
        Ok(Some(found))
    }
}

/// Takes what overlaps the range; whether nothing behind can.
fn take_overlapping(
    entries: &[AbortedTransaction],
    from: Offset,
    end: Offset,
    found: &mut Vec<AbortedTransaction>,
) -> bool {
    for entry in entries {
        if entry.overlaps(from, end) {
            found.push(*entry);
        }
        if entry.last_stable_offset >= end {
            return true;
        }
    }
    false
}

/// [`take_overlapping`] from a segment's file, of which no more is in memory than is read at a time.
async fn read_overlapping(
    segment: &Segment,
    from: Offset,
    end: Offset,
    found: &mut Vec<AbortedTransaction>,
) -> Result<bool, LogError> {
    let file = segment.transaction_index_reader().await?;
    if matches!(
        &*segment.aborted.borrow(),
        AbortedIndex::File { checked: false }
    ) {
        // A search would pass over what is wrong in it.
        each_piece(&file, 0, segment.base_offset, |_| false).await?;
        *segment.aborted.borrow_mut() = AbortedIndex::File { checked: true };
    }
    let first = index_file::count_aborted_before(&file, from).await?;
    each_piece(&file, first, segment.base_offset, |entries| {
        take_overlapping(entries, from, end, found)
    })
    .await
}

/// Visits the entries of a transaction index file from one on, in pieces, until `visit` has enough; whether it had.
async fn each_piece(
    file: &SegmentFile,
    first: u64,
    base: Offset,
    mut visit: impl FnMut(&[AbortedTransaction]) -> bool,
) -> Result<bool, LogError> {
    let failed = |error| LogError::storage("read", file.path(), error);
    let (mut at, end) = (first * ENTRY_BYTES as u64, file.len().map_err(failed)?);
    let mut due = base;
    while at < end {
        let len = PIECE_BYTES.min(end - at);
        let mut piece = vec![0; len as usize];
        file.read_into(at, &mut piece).await.map_err(failed)?;
        let decoded = transaction_index::decode(&piece, due);
        let entries = decoded.map_err(|reason| LogError::Corrupt {
            path: file.path().to_owned(),
            reason: format!("from position {at} on: {reason}"),
        })?;
        if visit(&entries) {
            return Ok(true);
        }
        due = entries.last().map_or(due, |last| last.last_offset + 1);
        at += len;
    }
    Ok(false)
}
