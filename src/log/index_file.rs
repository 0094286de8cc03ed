//! Searching the index files of a sealed segment where they lie, without loading them.
//!
//! A binary search touches a few pages of a file, which the page cache keeps; the memory of a log does not grow with its
//! segments.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::config::LogConfig;
use super::error::LogError;
use super::file_names::FileKind;
use super::index::{MaxTimestamp, OffsetEntry, TimeEntry};
use super::loader::Loader;
use super::segment::Segment;
use super::transaction_index;
use crate::io::SegmentFile;
use crate::io::blocking::blocking;
use crate::types::{Offset, TimestampMs};

/// Makes both index files of a sealed segment again from the heads of its batches.
///
/// # Errors
/// The segment is damaged, or a file operation failed; the files are then as they were.
pub(super) async fn make_again(segment: &Segment, config: LogConfig) -> Result<(), LogError> {
    let path = segment.path(FileKind::Log);
    let (base, size) = (segment.base_offset, segment.committed.get());
    log::warn!(
        "{}: its index does not agree with it and is made again",
        segment.path(FileKind::OffsetIndex).display()
    );
    let made = blocking(move || {
        let dir = path.parent().unwrap_or(&path);
        let mut loader = Loader::new(dir, &config, TimestampMs::now());
        loader.sizes.insert(base, size);
        let made = loader.rebuild_index_files(base)?;
        made.map_err(|reason| LogError::Corrupt {
            path: path.clone(),
            reason,
        })
    });
    made.await?;
    segment.close_readers();
    segment.max_timestamp.set(None);
    Ok(())
}

/// Where to start looking for the batch that holds `offset`.
pub(super) async fn position_for(segment: &Segment, offset: Offset) -> Result<u64, LogError> {
    let relative = offset - segment.base_offset;
    last_position(segment, |entry| {
        i64::from(entry.relative_offset.get()) <= relative
    })
    .await
}

/// Where the first entry behind `offset` points: at or behind the batch that holds it. `None` without one.
pub(super) async fn position_behind(
    segment: &Segment,
    offset: Offset,
) -> Result<Option<u64>, LogError> {
    let relative = offset - segment.base_offset;
    let file = segment.index_reader().await?;
    let failed = |error| LogError::storage("read", file.path(), error);
    let size = size_of::<OffsetEntry>() as u64;
    let before = count_where(&file, |entry: &OffsetEntry| {
        i64::from(entry.relative_offset.get()) <= relative
    })
    .await?;
    if (before + 1) * size > file.len().map_err(failed)? {
        return Ok(None);
    }
    let entry: OffsetEntry = entry_at(&file, before).await?;
    Ok(u64::try_from(entry.position.get()).ok())
}

/// The last known start of a batch at or before `position`.
pub(super) async fn boundary_before(segment: &Segment, position: u64) -> Result<u64, LogError> {
    last_position(segment, |entry| {
        u64::try_from(entry.position.get()).is_ok_and(|known| known <= position)
    })
    .await
}

/// The last offset of the first batch an entry knows of at or behind `position`; `None` without one.
pub(super) async fn offset_at_or_behind(
    segment: &Segment,
    position: u64,
) -> Result<Option<Offset>, LogError> {
    let file = segment.index_reader().await?;
    let failed = |error| LogError::storage("read", file.path(), error);
    let before = count_where(&file, |entry: &OffsetEntry| {
        u64::try_from(entry.position.get()).is_ok_and(|known| known < position)
    })
    .await?;
    if (before + 1) * size_of::<OffsetEntry>() as u64 > file.len().map_err(failed)? {
        return Ok(None);
    }
    let entry: OffsetEntry = entry_at(&file, before).await?;
    Ok(Some(
        segment.base_offset + i64::from(entry.relative_offset.get()),
    ))
}

/// How many entries of a transaction index file have their marker before `offset`.
pub(super) async fn count_aborted_before(
    file: &SegmentFile,
    offset: Offset,
) -> Result<u64, LogError> {
    count_where(file, |entry: &transaction_index::Entry| {
        entry.last_offset.get() < offset.0
    })
    .await
}

/// The last entry whose timestamp is before `timestamp`: nothing up to its offset is as late.
pub(super) async fn entry_before(
    segment: &Segment,
    timestamp: i64,
) -> Result<Option<MaxTimestamp>, LogError> {
    let file = segment.time_index_reader().await?;
    let entry: Option<TimeEntry> =
        last_where(&file, |entry: &TimeEntry| entry.timestamp.get() < timestamp).await?;
    Ok(entry.map(|entry| MaxTimestamp {
        timestamp: entry.timestamp.get(),
        offset: segment.base_offset + i64::from(entry.relative_offset.get()),
    }))
}

/// The largest timestamp of a sealed segment: its last time entry.
pub(super) async fn max_timestamp(segment: &Segment) -> Result<MaxTimestamp, LogError> {
    let file = segment.time_index_reader().await?;
    let last: Option<TimeEntry> = last_where(&file, |_| true).await?;
    Ok(match last {
        Some(entry) => MaxTimestamp {
            timestamp: entry.timestamp.get(),
            offset: segment.base_offset + i64::from(entry.relative_offset.get()),
        },
        None => MaxTimestamp {
            timestamp: -1,
            offset: segment.base_offset,
        },
    })
}

async fn last_position(
    segment: &Segment,
    before: impl Fn(&OffsetEntry) -> bool,
) -> Result<u64, LogError> {
    let file = segment.index_reader().await?;
    let entry = last_where(&file, before).await?;
    let position = entry.map_or(0, |entry| u64::try_from(entry.position.get()).unwrap_or(0));
    Ok(position.min(segment.committed.get()))
}

/// The last entry of a sorted file for which `before` holds.
async fn last_where<E>(
    file: &SegmentFile,
    before: impl Fn(&E) -> bool,
) -> Result<Option<E>, LogError>
where
    E: FromBytes + IntoBytes + KnownLayout + Immutable,
{
    let Some(last) = count_where(file, before).await?.checked_sub(1) else {
        return Ok(None);
    };
    entry_at(file, last).await.map(Some)
}

/// The entry that many after the first.
async fn entry_at<E>(file: &SegmentFile, index: u64) -> Result<E, LogError>
where
    E: FromBytes + IntoBytes + KnownLayout + Immutable,
{
    let mut entry = E::new_zeroed();
    file.read_into(index * size_of::<E>() as u64, entry.as_mut_bytes())
        .await
        .map_err(|error| LogError::storage("read", file.path(), error))?;
    Ok(entry)
}

/// How many entries of a sorted file come before the first for which `before` does not hold.
async fn count_where<E>(file: &SegmentFile, before: impl Fn(&E) -> bool) -> Result<u64, LogError>
where
    E: FromBytes + IntoBytes + KnownLayout + Immutable,
{
    let failed = |error| LogError::storage("read", file.path(), error);
    let size = size_of::<E>() as u64;
    let (mut low, mut high) = (0, file.len().map_err(failed)? / size);
    while low < high {
        let middle = low + (high - low) / 2;
        let entry: E = entry_at(file, middle).await?;
        if before(&entry) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}
