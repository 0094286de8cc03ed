//! The entries of a segment's indexes, looked at beside the batches they point at, in the order of the log.
//!
//! Who writes index files agrees on little: how often an entry comes, whether one is made for a batch or for several that
//! were appended together. What all keep: an offset entry's position is where a batch starts, and its offset the last one of
//! that batch or of one behind it; a time entry's offset is in the batch that has its timestamp. Zeros at the end are space
//! that was reserved.
//!
//! Only the first wrong entry of a file is told: one is enough to make the file again.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::log::index::{OffsetEntry, TimeEntry};
use crate::log::scan::BatchFrame;
use crate::types::Offset;

/// The first thing that is wrong with an index file: where, and what.
pub(super) struct WrongEntry {
    pub(super) position: u64,
    pub(super) what: String,
}

/// The entries of a file, one after the other.
struct Entries<E> {
    reader: Option<BufReader<File>>,
    position: u64,
    next: Option<E>,
}

impl<E: FromBytes + IntoBytes + KnownLayout + Immutable + Copy> Entries<E> {
    fn open(path: &Path) -> io::Result<Result<Entries<E>, WrongEntry>> {
        let mut entries = Entries {
            reader: Some(BufReader::new(File::open(path)?)),
            position: 0,
            next: None,
        };
        Ok(entries.read()?.map(|()| entries))
    }

    fn read(&mut self) -> io::Result<Result<(), WrongEntry>> {
        self.next = None;
        let Some(reader) = &mut self.reader else {
            return Ok(Ok(()));
        };
        let mut bytes = Vec::with_capacity(size_of::<E>());
        reader.take(size_of::<E>() as u64).read_to_end(&mut bytes)?;
        match E::read_from_bytes(&bytes) {
            Ok(entry) if bytes.iter().any(|byte| *byte != 0) => self.next = Some(entry),
            Ok(_) => return self.only_zeros_follow(),
            Err(_) if bytes.is_empty() => self.reader = None,
            Err(_) => {
                return Ok(Err(self.wrong(format!(
                    "{} bytes at the end are no whole entry of {}",
                    bytes.len(),
                    size_of::<E>()
                ))));
            }
        }
        Ok(Ok(()))
    }

    fn only_zeros_follow(&mut self) -> io::Result<Result<(), WrongEntry>> {
        let Some(reader) = self.reader.take() else {
            return Ok(Ok(()));
        };
        for byte in reader.bytes() {
            if byte? != 0 {
                return Ok(Err(
                    self.wrong("an entry of zeros stands before others".to_owned())
                ));
            }
        }
        Ok(Ok(()))
    }

    fn advance(&mut self) -> io::Result<Result<(), WrongEntry>> {
        self.position += size_of::<E>() as u64;
        self.read()
    }

    fn wrong(&self, what: String) -> WrongEntry {
        WrongEntry {
            position: self.position,
            what,
        }
    }
}

/// The offset index of a segment.
pub(super) struct OffsetEntries {
    base: Offset,
    entries: Entries<OffsetEntry>,
    /// The offset of an entry whose batch has begun, and that no batch has ended with yet.
    awaited: Option<Offset>,
}

impl OffsetEntries {
    pub(super) fn open(path: &Path, base: Offset) -> io::Result<Result<OffsetEntries, WrongEntry>> {
        let opened = Entries::open(path)?;
        Ok(opened.map(|entries| OffsetEntries {
            base,
            entries,
            awaited: None,
        }))
    }

    /// Looks at the entries for the batch at `position`.
    pub(super) fn batch(
        &mut self,
        position: u64,
        frame: &BatchFrame,
    ) -> io::Result<Result<(), WrongEntry>> {
        while let Some(entry) = self.entries.next {
            let points_at = i64::from(entry.position.get());
            if points_at > position as i64 {
                break;
            }
            if points_at < position as i64 {
                let what = format!("points at position {points_at}, where no batch starts");
                return Ok(Err(self.entries.wrong(what)));
            }
            if self.awaited.is_some() {
                return Ok(Err(self.unmatched()));
            }
            self.awaited = Some(self.base + i64::from(entry.relative_offset.get()));
            if let Err(wrong) = self.entries.advance()? {
                return Ok(Err(wrong));
            }
        }
        match self.awaited {
            Some(offset) if offset < frame.last_offset => Ok(Err(self.unmatched())),
            Some(offset) if offset == frame.last_offset => {
                self.awaited = None;
                Ok(Ok(()))
            }
            _ => Ok(Ok(())),
        }
    }

    /// Goes on at `position`: what stands before it is damaged, and no entry's fault.
    pub(super) fn skip_to(&mut self, position: u64) -> io::Result<Result<(), WrongEntry>> {
        self.awaited = None;
        while self
            .entries
            .next
            .is_some_and(|entry| i64::from(entry.position.get()) < position as i64)
        {
            if let Err(wrong) = self.entries.advance()? {
                return Ok(Err(wrong));
            }
        }
        Ok(Ok(()))
    }

    /// Looks at what is left at the end of the segment.
    pub(super) fn end(&self) -> Result<(), WrongEntry> {
        if self.awaited.is_some() {
            return Err(self.unmatched());
        }
        match self.entries.next {
            Some(entry) => Err(self.entries.wrong(format!(
                "points at position {}, past the segment's last batch",
                entry.position
            ))),
            None => Ok(()),
        }
    }

    /// The entry before the next one.
    fn unmatched(&self) -> WrongEntry {
        WrongEntry {
            position: self
                .entries
                .position
                .saturating_sub(size_of::<OffsetEntry>() as u64),
            what: format!(
                "has offset {}, with which no batch ends there",
                self.awaited.unwrap_or_default()
            ),
        }
    }
}

/// The time index of a segment.
pub(super) struct TimeEntries {
    base: Offset,
    entries: Entries<TimeEntry>,
    last_timestamp: i64,
    last_offset: Offset,
}

impl TimeEntries {
    pub(super) fn open(path: &Path, base: Offset) -> io::Result<Result<TimeEntries, WrongEntry>> {
        let opened = Entries::open(path)?;
        Ok(opened.map(|entries| TimeEntries {
            base,
            entries,
            last_timestamp: -1,
            last_offset: base,
        }))
    }

    /// Looks at the entries whose offsets are not behind this batch.
    pub(super) fn batch(&mut self, frame: &BatchFrame) -> io::Result<Result<(), WrongEntry>> {
        while let Some(entry) = self.entries.next {
            let offset = self.base + i64::from(entry.relative_offset.get());
            let timestamp = entry.timestamp.get();
            if offset > frame.last_offset {
                break;
            }
            if timestamp <= self.last_timestamp || offset < self.last_offset {
                let what = format!(
                    "timestamp {timestamp} with offset {offset} stands after timestamp {} with offset {}",
                    self.last_timestamp, self.last_offset
                );
                return Ok(Err(self.entries.wrong(what)));
            }
            // Of a batch without records no timestamp is known.
            let known = frame.max_timestamp >= 0;
            // A compressed message of an older format is known by its last offset only.
            let before = frame.magic >= 2 && offset < frame.base_offset;
            if before || known && frame.max_timestamp != timestamp {
                let what = format!(
                    "has timestamp {timestamp} for offset {offset}, whose batch does not have it"
                );
                return Ok(Err(self.entries.wrong(what)));
            }
            (self.last_timestamp, self.last_offset) = (timestamp, offset);
            if let Err(wrong) = self.entries.advance()? {
                return Ok(Err(wrong));
            }
        }
        Ok(Ok(()))
    }

    /// Goes on at `offset`: what stands before it is damaged, and no entry's fault.
    pub(super) fn skip_to(&mut self, offset: Offset) -> io::Result<Result<(), WrongEntry>> {
        while self
            .entries
            .next
            .is_some_and(|entry| self.base + i64::from(entry.relative_offset.get()) < offset)
        {
            if let Err(wrong) = self.entries.advance()? {
                return Ok(Err(wrong));
            }
        }
        Ok(Ok(()))
    }

    /// Looks at what is left at the end of the segment; a sealed one's index ends with its largest timestamp.
    pub(super) fn end(&self, largest: Option<i64>) -> Result<(), WrongEntry> {
        if let Some(entry) = self.entries.next {
            return Err(self.entries.wrong(format!(
                "has timestamp {} for offset {}, past the segment's last batch",
                entry.timestamp,
                self.base + i64::from(entry.relative_offset.get())
            )));
        }
        match largest {
            Some(largest) if largest > self.last_timestamp => Err(self.entries.wrong(format!(
                "ends with timestamp {}, but the segment's largest is {largest}",
                self.last_timestamp
            ))),
            _ => Ok(()),
        }
    }
}
