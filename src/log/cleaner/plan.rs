//! What can be compacted, whether it is worth it, and which segments become one. Pure: numbers in, numbers out.
//!
//! Rules of Kafka's `LogCleanerManager.cleanableOffsets`, `LogToClean` and `Cleaner.groupSegmentsBySize`. A log lies before the
//! cleaner like this:
//! ```text
//! | compacted before | dirty, to be compacted          | not yet: active, unsealed, or too young |
//!                    ^ first dirty offset              ^ first uncleanable offset
//! ```

use std::collections::HashMap;
use std::path::PathBuf;

use super::filter::LastRecord;
use crate::log::transaction_index::AbortedTransaction;
use crate::types::Offset;

/// A topic's rules for compaction: each field is the topic property of that name.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CompactionRules {
    /// `min.cleanable.dirty.ratio`.
    pub min_cleanable_dirty_ratio: f64,
    /// `min.compaction.lag.ms`.
    pub min_compaction_lag_ms: i64,
    /// `max.compaction.lag.ms`.
    pub max_compaction_lag_ms: i64,
    /// `delete.retention.ms`.
    pub delete_retention_ms: i64,
}

/// What the choice needs to know of a segment that takes no more records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::log) struct SealedSegment {
    pub(in crate::log) base_offset: Offset,
    /// Where the next segment begins.
    pub(in crate::log) next_base: Offset,
    pub(in crate::log) size: u64,
    /// The largest timestamp of its first batch; asked for only with a `max.compaction.lag.ms`.
    pub(in crate::log) first_timestamp: Option<i64>,
    /// Its largest timestamp; asked for only with a `min.compaction.lag.ms`.
    pub(in crate::log) max_timestamp: Option<i64>,
}

/// How much there is to be compacted in a log.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Dirty {
    /// Before this everything was compacted.
    pub first_dirty: Offset,
    /// From here on nothing can be compacted yet.
    pub first_uncleanable: Offset,
    /// The share of bytes that were never compacted, of all that can be.
    pub ratio: f64,
    /// Records have waited for longer than `max.compaction.lag.ms`.
    pub overdue: bool,
}

impl Dirty {
    /// Whether the log is to be compacted now.
    pub fn is_due(&self, rules: &CompactionRules) -> bool {
        self.overdue || self.ratio > rules.min_cleanable_dirty_ratio
    }
}

/// How much of a log can be compacted; `None` if nothing. `segments` are those that take no more records, in order and
/// without one left out.
pub(in crate::log) fn dirty(
    segments: &[SealedSegment],
    first_dirty: Offset,
    rules: &CompactionRules,
    now_ms: i64,
) -> Option<Dirty> {
    let end = segments.last()?.next_base;
    let is_dirty = |segment: &&SealedSegment| segment.next_base > first_dirty;
    let oldest_ms = now_ms.saturating_sub(rules.min_compaction_lag_ms.max(0));
    let too_young = |segment: &&SealedSegment| {
        rules.min_compaction_lag_ms > 0 && segment.max_timestamp.is_some_and(|max| max > oldest_ms)
    };
    let first_uncleanable = segments
        .iter()
        .filter(is_dirty)
        .find(too_young)
        .map_or(end, |segment| segment.base_offset);
    let sum = |wanted: &dyn Fn(&SealedSegment) -> bool| -> u64 {
        segments
            .iter()
            .filter(|segment| wanted(segment))
            .map(|segment| segment.size)
            .sum()
    };
    let clean_bytes = sum(&|segment| segment.base_offset < first_dirty);
    let cleanable_bytes =
        sum(&|segment| segment.next_base > first_dirty && segment.base_offset < first_uncleanable);
    if cleanable_bytes == 0 {
        return None;
    }
    let due_before_ms = now_ms.saturating_sub(rules.max_compaction_lag_ms.max(0));
    let waits_since = segments
        .iter()
        .filter(is_dirty)
        .filter_map(|segment| segment.first_timestamp)
        .filter(|first| *first > 0)
        .min();
    Some(Dirty {
        first_dirty,
        first_uncleanable,
        ratio: cleanable_bytes as f64 / (clean_bytes + cleanable_bytes) as f64,
        overdue: waits_since.is_some_and(|since| since < due_before_ms),
    })
}

/// Everything a run needs to know of a log, as it was at one moment on its core.
#[derive(Clone, Debug)]
pub(in crate::log) struct CleaningPlan {
    pub(in crate::log) dir: PathBuf,
    /// Those before the first uncleanable offset, the compacted ones too.
    pub(in crate::log) segments: Vec<SealedSegment>,
    pub(in crate::log) first_dirty: Offset,
    pub(in crate::log) first_uncleanable: Offset,
    pub(in crate::log) producers: HashMap<i64, LastRecord>,
    /// Transactions that began before the first uncleanable offset and were aborted behind it.
    pub(in crate::log) aborted_later: Vec<AbortedTransaction>,
    /// The newest producer snapshot, which stays.
    pub(in crate::log) newest_snapshot: Option<Offset>,
    pub(in crate::log) segment_bytes: u64,
    pub(in crate::log) index_max_bytes: u64,
    pub(in crate::log) index_interval_bytes: u64,
    pub(in crate::log) delete_retention_ms: i64,
    pub(in crate::log) now_ms: i64,
}

/// Most segments that become one in a run: the files of all are open while they are replaced. The next run goes on.
const GROUP_SEGMENTS: usize = 64;

/// A segment with the sizes of its index files.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sized {
    pub(super) segment: SealedSegment,
    pub(super) index_bytes: u64,
    pub(super) time_index_bytes: u64,
}

/// Which segments become one: neighbours that together are no larger than a segment, and its indexes, may be.
pub(super) fn groups(segments: &[Sized], plan: &CleaningPlan) -> Vec<Vec<Sized>> {
    let mut groups: Vec<Vec<Sized>> = Vec::new();
    for next in segments {
        match groups.last_mut() {
            Some(group) if fits(group, next, plan) => group.push(*next),
            _ => groups.push(vec![*next]),
        }
    }
    groups
}

fn fits(group: &[Sized], next: &Sized, plan: &CleaningPlan) -> bool {
    let together = |bytes: fn(&Sized) -> u64| group.iter().map(bytes).sum::<u64>() + bytes(next);
    let last_offset = next.segment.next_base - group[0].segment.base_offset - 1;
    group.len() < GROUP_SEGMENTS
        && together(|sized| sized.segment.size) <= plan.segment_bytes
        && together(|sized| sized.index_bytes) <= plan.index_max_bytes
        && together(|sized| sized.time_index_bytes) <= plan.index_max_bytes
        && (next.segment.size == 0 || last_offset <= i64::from(i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: CompactionRules = CompactionRules {
        min_cleanable_dirty_ratio: 0.5,
        min_compaction_lag_ms: 0,
        max_compaction_lag_ms: i64::MAX,
        delete_retention_ms: 0,
    };

    /// Four segments of 10 offsets and 100 bytes, the timestamps of each from its base offset to its end.
    fn four() -> Vec<SealedSegment> {
        let segment = |n: i64| SealedSegment {
            base_offset: Offset(10 * n),
            next_base: Offset(10 * n + 10),
            size: 100,
            first_timestamp: Some(10 * n + 1),
            max_timestamp: Some(10 * n + 9),
        };
        (0..4).map(segment).collect()
    }

    #[test]
    fn the_dirty_share_is_what_lies_behind_the_last_run() {
        let all = dirty(&four(), Offset(0), &RULES, 1_000).unwrap();
        assert_eq!((all.ratio, all.first_uncleanable), (1.0, Offset(40)));
        assert!(all.is_due(&RULES));
        let half = dirty(&four(), Offset(20), &RULES, 1_000).unwrap();
        assert_eq!(half.ratio, 0.5);
        assert!(!half.is_due(&RULES), "the share has to be exceeded");
        assert_eq!(dirty(&four(), Offset(40), &RULES, 1_000), None);
        assert_eq!(dirty(&[], Offset(0), &RULES, 1_000), None);
    }

    #[test]
    fn segments_with_young_records_wait_and_so_do_those_behind_them() {
        let rules = CompactionRules {
            min_compaction_lag_ms: 50,
            ..RULES
        };
        let some = dirty(&four(), Offset(0), &rules, 70).unwrap();
        assert_eq!(some.first_uncleanable, Offset(20));
        assert_eq!(some.ratio, 1.0);
        assert_eq!(
            dirty(&four(), Offset(0), &rules, 58),
            None,
            "all are too young"
        );
        // What was compacted before is not looked at again.
        let some = dirty(&four(), Offset(10), &rules, 70).unwrap();
        assert_eq!(some.first_uncleanable, Offset(20));
    }

    #[test]
    fn records_that_waited_too_long_make_a_log_due() {
        let rules = CompactionRules {
            min_cleanable_dirty_ratio: 1.0,
            max_compaction_lag_ms: 50,
            ..RULES
        };
        let at = |now| {
            dirty(&four(), Offset(20), &rules, now)
                .unwrap()
                .is_due(&rules)
        };
        assert!(!at(71), "the first dirty record is of 21");
        assert!(at(72));
    }

    fn plan(segment_bytes: u64, index_max_bytes: u64) -> CleaningPlan {
        CleaningPlan {
            dir: PathBuf::new(),
            segments: Vec::new(),
            first_dirty: Offset(0),
            first_uncleanable: Offset(40),
            producers: HashMap::new(),
            aborted_later: Vec::new(),
            newest_snapshot: None,
            segment_bytes,
            index_max_bytes,
            index_interval_bytes: 4096,
            delete_retention_ms: 0,
            now_ms: 0,
        }
    }

    fn sized(segments: &[SealedSegment]) -> Vec<Sized> {
        let sized = |segment: &SealedSegment| Sized {
            segment: *segment,
            index_bytes: 16,
            time_index_bytes: 24,
        };
        segments.iter().map(sized).collect()
    }

    fn lengths(segments: &[SealedSegment], plan: &CleaningPlan) -> Vec<usize> {
        groups(&sized(segments), plan)
            .iter()
            .map(Vec::len)
            .collect()
    }

    #[test]
    fn neighbours_become_one_segment_while_they_fit() {
        assert_eq!(lengths(&four(), &plan(300, 1_000)), [3, 1]);
        assert_eq!(lengths(&four(), &plan(99, 1_000)), [1, 1, 1, 1]);
        assert_eq!(
            lengths(&four(), &plan(1_000, 48)),
            [2, 2],
            "the time indexes"
        );
        assert_eq!(lengths(&four(), &plan(1_000, 1_000)), [4]);
    }

    #[test]
    fn so_many_files_are_open_and_no_more() {
        let tiny = |n: i64| SealedSegment {
            base_offset: Offset(n),
            next_base: Offset(n + 1),
            size: 1,
            first_timestamp: None,
            max_timestamp: None,
        };
        let segments: Vec<_> = (0..150).map(tiny).collect();
        let roomy = plan(1 << 30, 1 << 30);
        assert_eq!(lengths(&segments, &roomy), [64, 64, 22]);
    }

    #[test]
    fn a_segment_spans_no_more_offsets_than_an_index_can_hold() {
        let mut segments = four();
        segments[3].next_base = Offset(i64::from(i32::MAX) + 2);
        assert_eq!(lengths(&segments, &plan(1_000, 1_000)), [3, 1]);
        segments[3].size = 0;
        assert_eq!(lengths(&segments, &plan(1_000, 1_000)), [4]);
    }
}
