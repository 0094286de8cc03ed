//! The sparse indexes of one segment: offset to position, and timestamp to offset.
//!
//! Layouts are Kafka's `OffsetIndex` and `TimeIndex`, big-endian, nothing between the entries:
//! ```text
//! .index      relative offset i32 | position i32
//! .timeindex  timestamp i64 | relative offset i32
//! ```
//! An offset entry names the last offset of a batch and where that batch starts. A time entry holds the largest timestamp
//! so far and the last offset of the first batch that has it, so timestamps only grow whatever order records come in.
//!
//! The active segment's indexes live in memory ([`MemoryIndex`]) and are written when it is sealed or closed; those of a
//! sealed segment stay in their files and are searched there (`index_file`).

use zerocopy::byteorder::big_endian::{I32, I64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::types::Offset;

/// One entry of an `.index` file.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned,
)]
#[repr(C)]
pub struct OffsetEntry {
    /// Last offset of a batch, less the segment's base offset.
    pub relative_offset: I32,
    /// Where that batch starts in the segment file.
    pub position: I32,
}

/// One entry of a `.timeindex` file.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned,
)]
#[repr(C)]
pub struct TimeEntry {
    /// The largest timestamp so far in milliseconds.
    pub timestamp: I64,
    /// Last offset of the batch that has it, less the segment's base offset.
    pub relative_offset: I32,
}

/// A timestamp and the last offset of the first batch that has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MaxTimestamp {
    /// Milliseconds; -1 when the segment holds no timestamp.
    pub timestamp: i64,
    /// Last offset of that batch.
    pub offset: Offset,
}

/// What an index takes in of a batch.
#[derive(Clone, Copy, Debug)]
pub struct IndexedBatch {
    /// The batch's last offset.
    pub last_offset: Offset,
    /// Where it starts in the segment file.
    pub position: u64,
    /// Its size in bytes.
    pub size: u64,
    /// Its largest timestamp in milliseconds.
    pub max_timestamp: i64,
}

/// Both indexes of a segment that still grows.
#[derive(Clone, Debug)]
pub struct MemoryIndex {
    base_offset: Offset,
    offsets: Vec<OffsetEntry>,
    times: Vec<TimeEntry>,
    bytes_since_last_entry: u64,
    max: MaxTimestamp,
    /// Whether the files, if there are any, are behind.
    dirty: bool,
}

/// A place to go back to: see [`MemoryIndex::mark`].
#[derive(Clone, Copy, Debug)]
pub struct IndexMark {
    offsets: usize,
    times: usize,
    bytes_since_last_entry: u64,
    max: MaxTimestamp,
}

impl MemoryIndex {
    /// The indexes of an empty segment.
    pub fn new(base_offset: Offset) -> MemoryIndex {
        MemoryIndex {
            base_offset,
            offsets: Vec::new(),
            times: Vec::new(),
            bytes_since_last_entry: 0,
            max: MaxTimestamp {
                timestamp: -1,
                offset: base_offset,
            },
            dirty: true,
        }
    }

    /// The indexes in two files' contents; `None` if they cannot be those of a segment of `segment_size` bytes. Zeros at
    /// the end (Kafka preallocates its index files and may leave them so) are dropped.
    pub fn decode(
        base_offset: Offset,
        index: &[u8],
        time_index: &[u8],
        segment_size: u64,
    ) -> Option<MemoryIndex> {
        let mut offsets = <[OffsetEntry]>::ref_from_bytes(index).ok()?.to_vec();
        let mut times = <[TimeEntry]>::ref_from_bytes(time_index).ok()?.to_vec();
        while offsets
            .last()
            .is_some_and(|entry| entry.position.get() == 0 && entry.relative_offset.get() == 0)
        {
            offsets.pop();
        }
        while times
            .last()
            .is_some_and(|entry| entry.timestamp.get() == 0 && entry.relative_offset.get() == 0)
        {
            times.pop();
        }
        let offsets_grow = offsets.windows(2).all(|pair| {
            pair[0].relative_offset.get() < pair[1].relative_offset.get()
                && pair[0].position.get() < pair[1].position.get()
        });
        let times_grow = times.windows(2).all(|pair| {
            pair[0].timestamp.get() < pair[1].timestamp.get()
                && pair[0].relative_offset.get() <= pair[1].relative_offset.get()
        });
        let positive = offsets
            .first()
            .is_none_or(|entry| entry.relative_offset.get() >= 0 && entry.position.get() >= 0)
            && times
                .first()
                .is_none_or(|entry| entry.relative_offset.get() >= 0);
        let within = offsets
            .last()
            .is_none_or(|entry| (entry.position.get() as u64) < segment_size);
        if !(offsets_grow && times_grow && positive && within) {
            return None;
        }
        let mut decoded = MemoryIndex::new(base_offset);
        if let Some(last) = times.last() {
            decoded.max = decoded.resolve(*last);
        }
        decoded.offsets = offsets;
        decoded.times = times;
        decoded.dirty = false;
        Some(decoded)
    }

    /// Takes in an appended batch: an entry after every `interval` bytes of log, as Kafka's `LogSegment.append` does.
    pub fn append(&mut self, batch: IndexedBatch, interval: u64) {
        self.dirty = true;
        self.observe(batch);
        if self.bytes_since_last_entry > interval {
            self.offsets.push(OffsetEntry {
                relative_offset: self.relative(batch.last_offset),
                position: I32::new(batch.position as i32),
            });
            self.append_time_entry();
            self.bytes_since_last_entry = 0;
        }
        self.bytes_since_last_entry += batch.size;
    }

    /// Takes in a batch that lies behind the last entry of a file just read: no entry is made for it.
    pub fn observe(&mut self, batch: IndexedBatch) {
        if batch.max_timestamp > self.max.timestamp {
            self.max = MaxTimestamp {
                timestamp: batch.max_timestamp,
                offset: batch.last_offset,
            };
        }
    }

    /// Adds the time entry that ends a segment's index: the largest timestamp of all.
    pub fn append_time_entry(&mut self) {
        let newer = self
            .times
            .last()
            .is_none_or(|last| self.max.timestamp > last.timestamp.get());
        if newer && self.max.timestamp >= 0 {
            self.times.push(TimeEntry {
                timestamp: I64::new(self.max.timestamp),
                relative_offset: self.relative(self.max.offset),
            });
        }
    }

    /// Whether no further entry fits files of `max_bytes`.
    pub fn is_full(&self, max_bytes: u32) -> bool {
        let max_bytes = max_bytes as usize;
        self.offsets.len() >= max_bytes / size_of::<OffsetEntry>()
            || self.times.len() + 1 >= max_bytes / size_of::<TimeEntry>()
    }

    /// Where to start looking for the batch that holds `offset`.
    pub fn position_for(&self, offset: Offset) -> u64 {
        let after = self.offsets.partition_point(|entry| {
            self.base_offset + entry.relative_offset.get().into() <= offset
        });
        self.offset_entry_before(after).1
    }

    /// The last known start of a batch at or before `position`.
    pub fn boundary_before(&self, position: u64) -> u64 {
        let after = self
            .offsets
            .partition_point(|entry| entry.position.get() as u64 <= position);
        self.offset_entry_before(after).1
    }

    /// The last offset of the first batch an entry knows of at or behind `position`; `None` without one.
    pub fn offset_at_or_behind(&self, position: u64) -> Option<Offset> {
        let before = self
            .offsets
            .partition_point(|entry| (entry.position.get() as u64) < position);
        let entry = self.offsets.get(before)?;
        Some(self.base_offset + entry.relative_offset.get().into())
    }

    /// The offset from which on a timestamp of at least `timestamp` may be found.
    pub fn offset_for_timestamp(&self, timestamp: i64) -> Offset {
        let after = self
            .times
            .partition_point(|entry| entry.timestamp.get() < timestamp);
        match after.checked_sub(1) {
            Some(at) => self.resolve(self.times[at]).offset,
            None => self.base_offset,
        }
    }

    /// The last offset entry: offset and position, the start of the segment if there is none.
    pub fn last_entry(&self) -> (Offset, u64) {
        self.offset_entry_before(self.offsets.len())
    }

    /// The largest timestamp of the segment.
    pub fn max_timestamp(&self) -> MaxTimestamp {
        self.max
    }

    /// Where the index stands now.
    pub fn mark(&self) -> IndexMark {
        IndexMark {
            offsets: self.offsets.len(),
            times: self.times.len(),
            bytes_since_last_entry: self.bytes_since_last_entry,
            max: self.max,
        }
    }

    /// Forgets all that was taken in since `mark`.
    pub fn restore(&mut self, mark: IndexMark) {
        self.offsets.truncate(mark.offsets);
        self.times.truncate(mark.times);
        self.bytes_since_last_entry = mark.bytes_since_last_entry;
        self.max = mark.max;
    }

    /// Whether the files must be written, at the next seal or close.
    pub fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// The files are written.
    pub fn set_clean(&mut self) {
        self.dirty = false;
    }

    /// The contents of the `.index` and the `.timeindex` file.
    pub fn encode(&self) -> (Vec<u8>, Vec<u8>) {
        (
            self.offsets.as_bytes().to_vec(),
            self.times.as_bytes().to_vec(),
        )
    }

    fn offset_entry_before(&self, after: usize) -> (Offset, u64) {
        match after.checked_sub(1).map(|at| self.offsets[at]) {
            Some(entry) => (
                self.base_offset + entry.relative_offset.get().into(),
                entry.position.get() as u64,
            ),
            None => (self.base_offset, 0),
        }
    }

    fn resolve(&self, entry: TimeEntry) -> MaxTimestamp {
        MaxTimestamp {
            timestamp: entry.timestamp.get(),
            offset: self.base_offset + entry.relative_offset.get().into(),
        }
    }

    /// A segment is rolled before an offset would not fit (see `append`).
    fn relative(&self, offset: Offset) -> I32 {
        I32::new((offset - self.base_offset) as i32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(last_offset: i64, position: u64, max_timestamp: i64) -> IndexedBatch {
        IndexedBatch {
            last_offset: Offset(last_offset),
            position,
            size: 100,
            max_timestamp,
        }
    }

    /// Ten batches of one record and 100 bytes each, an entry for every second one after the third.
    fn ten_batches() -> MemoryIndex {
        let mut index = MemoryIndex::new(Offset(1000));
        for n in 0..10 {
            index.append(batch(1000 + n, n as u64 * 100, 50 - n), 150);
        }
        index
    }

    #[test]
    fn an_entry_is_made_after_each_interval() {
        let (offsets, times) = ten_batches().encode();
        let entries = <[OffsetEntry]>::ref_from_bytes(&offsets).unwrap();
        let pairs: Vec<_> = entries
            .iter()
            .map(|e| (e.relative_offset.get(), e.position.get()))
            .collect();
        assert_eq!(pairs, [(2, 200), (4, 400), (6, 600), (8, 800)]);
        assert_eq!(
            times.len(),
            12,
            "the largest timestamp came first and is entered once"
        );
    }

    #[test]
    fn lookups_start_at_or_before_what_is_looked_for() {
        let index = ten_batches();
        assert_eq!(index.position_for(Offset(1001)), 0);
        assert_eq!(index.position_for(Offset(1002)), 200);
        assert_eq!(index.position_for(Offset(1007)), 600);
        assert_eq!(index.boundary_before(799), 600);
        assert_eq!(index.boundary_before(800), 800);
        assert_eq!(index.offset_for_timestamp(51), Offset(1000));
    }

    #[test]
    fn going_back_to_a_mark_forgets_what_came_after() {
        let mut index = ten_batches();
        let before = index.encode();
        let mark = index.mark();
        index.append(batch(1010, 1000, 99), 0);
        index.append_time_entry();
        index.restore(mark);
        assert_eq!(index.encode(), before);
        assert_eq!(index.max_timestamp().timestamp, 50);
    }

    #[test]
    fn files_come_back_and_impossible_ones_are_refused() {
        let (offsets, times) = ten_batches().encode();
        let mut padded = offsets.clone();
        padded.extend_from_slice(&[0; 16]);
        let decoded = MemoryIndex::decode(Offset(1000), &padded, &times, 1000).unwrap();
        assert_eq!(decoded.encode(), (offsets.clone(), times.clone()));
        assert_eq!(
            decoded.max_timestamp(),
            MaxTimestamp {
                timestamp: 50,
                offset: Offset(1000)
            }
        );
        assert!(
            MemoryIndex::decode(Offset(1000), &offsets, &times, 800).is_none(),
            "points past the end"
        );
        assert!(
            MemoryIndex::decode(Offset(1000), &offsets[1..], &times, 1000).is_none(),
            "cut in an entry"
        );
        let mut twice = offsets.clone();
        twice.extend_from_slice(&offsets);
        assert!(
            MemoryIndex::decode(Offset(1000), &twice, &times, 1000).is_none(),
            "goes backwards"
        );
    }

    #[test]
    fn an_index_is_full_when_no_entry_fits() {
        let index = ten_batches();
        assert!(index.is_full(32));
        assert!(!index.is_full(40));
        assert!(
            index.is_full(24),
            "one place of the time index is kept for the final entry"
        );
    }
}
