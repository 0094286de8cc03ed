//! From an offset to a read plan: which bytes of which file a reader gets.
//!
//! A view is taken under the log's borrow and fixes what may be read: one segment, up to its committed size. The plan is made
//! from the view without the borrow; it may read indexes and batch heads. Why that is sound: committed bytes never change
//! and are never written again, and the file handle in the plan keeps them readable whatever happens to the log's own.
//! (A sync that fails in between takes committed bytes back; whoever planned before may still send them, as may whoever had
//! already sent them.)
//!
//! Readers at the end of the log, the usual case, touch no file here: the newest batches' places are in memory.

use std::rc::Rc;

use super::error::{LogError, ReadError};
use super::index_file;
use super::partition_log::PartitionLog;
use super::scan::HeadScanner;
use super::segment::Segment;
use super::state::{Condition, State};
use crate::io::SegmentFile;
use crate::types::Offset;

/// How many sealed segments of a log stay open for reading.
const OPEN_SEALED_SEGMENTS: usize = 2;

/// What a reader gets: whole batches below the high watermark, in one range of one file. Goes to the connection's core.
#[derive(Clone, Debug)]
pub struct ReadPlan {
    /// The segment file; holding it keeps the bytes readable.
    pub file: SegmentFile,
    /// Where the first batch starts.
    pub position: u64,
    /// Bytes of whole batches; not 0.
    pub len: u32,
    /// Base offset of the first batch; at or before the offset asked for.
    pub base_offset: Offset,
}

/// What may be read from an offset on, as things stood at one moment.
#[derive(Debug)]
pub struct ReadView {
    pub(super) log: Rc<PartitionLog>,
    pub(super) from: Offset,
    /// The high watermark of that moment.
    pub high_watermark: Offset,
    /// The last stable offset of that moment.
    pub last_stable_offset: Offset,
    /// The log start offset of that moment.
    pub log_start_offset: Offset,
}

/// Whether the caller has the turn to change which segments the log has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Turn {
    Taken,
    Free,
}

/// A batch's place in a segment.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) segment: Rc<Segment>,
    pub(super) position: u64,
    pub(super) end: u64,
    pub(super) base_offset: Offset,
}

impl PartitionLog {
    /// A view of the records from `from` on. At or past the high watermark, up to the log end, the view is empty.
    ///
    /// # Errors
    /// [`ReadError::OutOfRange`] before the log start or past the log end; [`ReadError::Closed`].
    pub fn read_view(self: &Rc<Self>, from: Offset) -> Result<ReadView, ReadError> {
        let state = self.state.borrow();
        if matches!(state.condition, Condition::Closed(_)) {
            return Err(ReadError::Closed);
        }
        if from < state.log_start_offset || from > state.log_end_offset {
            return Err(ReadError::OutOfRange {
                start: state.log_start_offset,
                end: state.log_end_offset,
            });
        }
        Ok(ReadView {
            log: self.clone(),
            from,
            high_watermark: state.high_watermark,
            last_stable_offset: state.last_stable_offset(),
            log_start_offset: state.log_start_offset,
        })
    }

    /// The first committed batch that ends after `from`.
    pub(super) async fn find_batch(&self, from: Offset) -> Result<Option<Place>, LogError> {
        let mut segment = {
            let state = self.state.borrow();
            if from >= state.high_watermark {
                return Ok(None);
            }
            if let Some(place) = state.recent_place(from) {
                return Ok(Some(place));
            }
            state.segment_of(from)
        };
        while let Some(candidate) = segment {
            match self.find_in_segment(&candidate, from).await {
                Ok(Some(place)) => return Ok(Some(place)),
                Ok(None) => {}
                // Its records were deleted meanwhile, and perhaps its file with them.
                Err(_) if from < self.log_start_offset() => return Ok(None),
                Err(error) => return Err(error),
            }
            segment = self.state.borrow().segment_following(&candidate);
        }
        Ok(None)
    }

    pub(super) async fn find_in_segment(
        &self,
        segment: &Rc<Segment>,
        from: Offset,
    ) -> Result<Option<Place>, LogError> {
        let position = self.index_position(segment, from).await?;
        let mut found = self.walk_to(segment, position, from).await;
        if position > 0
            && !agrees(&found, position, from)
            && self.distrust_index(segment, Turn::Free).await
        {
            let position = self.index_position(segment, from).await?;
            found = self.walk_to(segment, position, from).await;
        }
        if let Err(error @ LogError::Corrupt { .. }) = &found {
            segment.tell_damage(error);
            if let Some(place) = self.behind_damage(segment, from).await {
                return Ok(Some(place));
            }
        }
        found
    }

    /// Where damage keeps a walk from coming to the batch of `from`, the index may know that batch itself.
    async fn behind_damage(&self, segment: &Rc<Segment>, from: Offset) -> Option<Place> {
        if segment.index.borrow().is_some() {
            return None;
        }
        let position = index_file::position_behind(segment, from).await.ok()??;
        let place = self.walk_to(segment, position, from).await.ok()??;
        (place.base_offset <= from).then_some(place)
    }

    /// The first batch from `position` on that ends after `from`.
    async fn walk_to(
        &self,
        segment: &Rc<Segment>,
        mut position: u64,
        from: Offset,
    ) -> Result<Option<Place>, LogError> {
        let file = self.reader_of(segment).await?;
        let mut scanner = HeadScanner::new(file, segment.committed.get());
        while let Some(frame) = scanner.head_at(position).await? {
            let end = position + frame.size;
            if frame.last_offset >= from {
                let base_offset = frame.base_offset;
                return Ok(Some(Place {
                    segment: segment.clone(),
                    position,
                    end,
                    base_offset,
                }));
            }
            position = end;
        }
        Ok(None)
    }

    /// What an index file says did not agree with the log: it is made again, once. Whether it is new.
    pub(super) async fn distrust_index(&self, segment: &Rc<Segment>, turn: Turn) -> bool {
        // Whoever takes segments out or puts others in their place may be at work with the names; then it is left for later.
        let permit = match turn {
            Turn::Free => match self.reshaping.try_acquire_permit(1) {
                Ok(permit) => Some(permit),
                Err(_) => return false,
            },
            Turn::Taken => None,
        };
        let sealed = segment.index.borrow().is_none();
        if !sealed || !self.has(segment) || segment.is_pinned() {
            return false;
        }
        if let Some(made) = segment.index_made_again.get() {
            return made;
        }
        let config = self.state.borrow().config.clone();
        let made = index_file::make_again(segment, config).await;
        drop(permit);
        segment.index_made_again.set(Some(made.is_ok()));
        if let Err(error) = &made {
            log::error!("an index is wrong and cannot be made again: {error}");
        }
        made.is_ok()
    }

    async fn index_position(&self, segment: &Segment, from: Offset) -> Result<u64, LogError> {
        let known = segment
            .index
            .borrow()
            .as_ref()
            .map(|index| index.position_for(from));
        match known {
            Some(position) => Ok(position.min(segment.committed.get())),
            None => index_file::position_for(segment, from).await,
        }
    }

    /// The last end of a batch at or before `target`; the start of `first` if that batch goes beyond.
    async fn last_end(&self, first: &Place, target: u64) -> Result<u64, LogError> {
        let segment = &first.segment;
        let recent =
            self.state
                .borrow()
                .recent
                .last_end(segment.base_offset, first.position, target);
        if let Some(end) = recent {
            return Ok(end);
        }
        let known = segment
            .index
            .borrow()
            .as_ref()
            .map(|index| index.boundary_before(target));
        let boundary = match known {
            Some(boundary) => boundary,
            None => index_file::boundary_before(segment, target).await?,
        };
        let start = boundary.max(first.position);
        match self.walk_end(segment, start, target).await {
            Err(_) if start > first.position => {
                self.distrust_index(segment, Turn::Free).await;
                self.walk_end(segment, first.position, target).await
            }
            walked => walked,
        }
    }

    /// The last end of a batch at or before `target`, walking from the start of one. Whoever reads up to damage gets what stands
    /// before it.
    async fn walk_end(
        &self,
        segment: &Rc<Segment>,
        start: u64,
        target: u64,
    ) -> Result<u64, LogError> {
        let mut end = start;
        let mut scanner = HeadScanner::new(self.reader_of(segment).await?, segment.committed.get());
        loop {
            match scanner.head_at(end).await {
                Ok(Some(frame)) if end + frame.size <= target => end += frame.size,
                Ok(_) => return Ok(end),
                Err(LogError::Corrupt { .. }) if end > start => return Ok(end),
                Err(error) => return Err(error),
            }
        }
    }

    /// The handle for reading a segment; of the sealed ones only the newest used stay open.
    pub(super) async fn reader_of(&self, segment: &Rc<Segment>) -> Result<SegmentFile, LogError> {
        if let Some(file) = segment.open_reader() {
            return Ok(file);
        }
        let file = segment.reader().await?;
        if !self.has(segment) {
            // Taken out meanwhile: the handle goes with the segment.
            return Ok(file);
        }
        let mut state = self.state.borrow_mut();
        state.open_readers.push_back(segment.clone());
        if state.open_readers.len() > OPEN_SEALED_SEGMENTS
            && let Some(oldest) = state.open_readers.pop_front()
            && !Rc::ptr_eq(&oldest, segment)
        {
            oldest.close_readers();
        }
        Ok(file)
    }
}

/// Whether the log has at an index entry's place what the entry says: a batch, and one that begins at or before the offset
/// looked for, so that nothing before it was passed over.
fn agrees(found: &Result<Option<Place>, LogError>, position: u64, from: Offset) -> bool {
    match found {
        Ok(Some(place)) => place.position > position || place.base_offset <= from,
        Ok(None) => true,
        Err(_) => false,
    }
}

impl ReadView {
    /// The batches from the one that holds the view's offset on: as many whole ones as `max_bytes` allows, from one segment.
    /// With `at_least_one` the first comes even if it is larger. `None` when nothing is to be read.
    ///
    /// # Errors
    /// A file cannot be read, or does not hold what its index says.
    pub async fn plan(
        &self,
        max_bytes: u32,
        at_least_one: bool,
    ) -> Result<Option<ReadPlan>, LogError> {
        match self.plan_here(max_bytes, at_least_one).await {
            // Its records were deleted meanwhile, and the names of files with them.
            Err(_) if self.from < self.log.log_start_offset() => Ok(None),
            planned => planned,
        }
    }

    async fn plan_here(
        &self,
        max_bytes: u32,
        at_least_one: bool,
    ) -> Result<Option<ReadPlan>, LogError> {
        let Some(first) = self.log.find_batch(self.from).await? else {
            return Ok(None);
        };
        let committed = first.segment.committed.get();
        self.plan_up_to(&first, committed, max_bytes, at_least_one)
            .await
    }

    /// The plan from the batch `first` on, to a position that is the end of a batch at most.
    pub(super) async fn plan_up_to(
        &self,
        first: &Place,
        readable: u64,
        max_bytes: u32,
        at_least_one: bool,
    ) -> Result<Option<ReadPlan>, LogError> {
        if first.position >= readable {
            return Ok(None);
        }
        let target = first.position + u64::from(max_bytes);
        let mut end = match readable <= target {
            true => readable,
            false => self.log.last_end(first, target).await?,
        };
        if end <= first.position && at_least_one {
            end = first.end;
        }
        if end <= first.position {
            return Ok(None);
        }
        Ok(Some(ReadPlan {
            file: self.log.reader_of(&first.segment).await?,
            position: first.position,
            len: u32::try_from(end - first.position).unwrap_or(u32::MAX),
            base_offset: first.base_offset,
        }))
    }
}

impl State {
    pub(super) fn recent_place(&self, from: Offset) -> Option<Place> {
        let batch = self.recent.find(from)?;
        let segment = self
            .segment_of(from)
            .filter(|segment| segment.base_offset == batch.segment)?;
        Some(Place {
            segment,
            position: batch.position,
            end: batch.end,
            base_offset: batch.base_offset,
        })
    }

    /// The segment whose range of offsets holds `offset`.
    pub(super) fn segment_of(&self, offset: Offset) -> Option<Rc<Segment>> {
        let after = self
            .segments
            .partition_point(|segment| segment.base_offset <= offset);
        Some(self.segments[after.checked_sub(1)?].clone())
    }

    fn segment_following(&self, segment: &Segment) -> Option<Rc<Segment>> {
        let after = self
            .segments
            .partition_point(|known| known.base_offset <= segment.base_offset);
        // Compaction may leave a segment without a batch.
        let mut following = self.segments[after..].iter();
        following.find(|next| next.committed.get() > 0).cloned()
    }
}
