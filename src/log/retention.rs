//! Which segments are past keeping: Kafka's rules (`UnifiedLog.deleteOldSegments`), as a function of numbers.
//!
//! Segments go from the oldest on, and each rule stops at the first that is to stay:
//!
//! | rule | a segment goes when | whose |
//! |---|---|---|
//! | start | the next one begins at or before the log start offset | every log's |
//! | size | the log without it still has `retention.bytes` | where `cleanup.policy` has delete |
//! | time | its largest timestamp is more than `retention.ms` ago | where `cleanup.policy` has delete |
//!
//! None goes past the high watermark. A segment whose largest timestamp lies ahead keeps itself and all that follow, as long as
//! size and start say nothing. It must never know what a file is, nor do anything about what it finds.

use crate::types::{Offset, TimestampMs};

/// What the rules look at of a segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct SegmentView {
    /// Where the next segment begins; the log end offset for the active one.
    pub(super) end: Offset,
    /// Its bytes.
    pub(super) size: u64,
    /// The largest timestamp of its records; of its file, if they have none. `None` is not known, so time does not count.
    pub(super) largest_timestamp: Option<i64>,
}

/// By what segments are judged, as things stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) log_start_offset: Offset,
    pub(super) high_watermark: Offset,
    /// `retention.bytes`, where it counts and limits.
    pub(super) retention_bytes: Option<u64>,
    /// `retention.ms`, where it counts and limits.
    pub(super) retention_ms: Option<i64>,
    pub(super) now: TimestampMs,
}

/// Why segments go: how many by each rule.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Verdict {
    pub(super) by_start: usize,
    pub(super) by_size: usize,
    pub(super) by_time: usize,
}

impl Verdict {
    /// How many segments go, counted from the oldest.
    pub(super) fn count(self) -> usize {
        self.by_start + self.by_size + self.by_time
    }
}

impl Rules {
    /// Whether `retention.ms` is over for a segment whose largest timestamp is this.
    pub(super) fn is_over(&self, largest_timestamp: i64) -> bool {
        self.retention_ms
            .is_some_and(|most| self.now.0.saturating_sub(largest_timestamp) > most)
    }

    /// Judges the segments of a log, oldest first, the active one last.
    pub(super) fn judge(&self, segments: &[SegmentView]) -> Verdict {
        let mut left = segments;
        let by_start = self.take(&mut left, |segment, is_active| {
            !is_active && segment.end <= self.log_start_offset
        });
        let size: u64 = left.iter().map(|segment| segment.size).sum();
        let mut excess = self.retention_bytes.map(|least| size.checked_sub(least));
        let by_size = self.take(&mut left, |segment, _| {
            let rest = excess
                .flatten()
                .and_then(|excess| excess.checked_sub(segment.size));
            if rest.is_some() {
                excess = Some(rest);
            }
            rest.is_some()
        });
        let by_time = self.take(&mut left, |segment, _| {
            segment
                .largest_timestamp
                .is_some_and(|largest| self.is_over(largest))
        });
        Verdict {
            by_start,
            by_size,
            by_time,
        }
    }

    /// Takes segments off the front as long as `goes` says so; returns how many. An empty active segment stays.
    fn take(
        &self,
        left: &mut &[SegmentView],
        mut goes: impl FnMut(&SegmentView, bool) -> bool,
    ) -> usize {
        let mut count = 0;
        while let [oldest, newer @ ..] = *left {
            let is_active = newer.is_empty();
            let may_go = oldest.end <= self.high_watermark && !(is_active && oldest.size == 0);
            if !may_go || !goes(oldest, is_active) {
                break;
            }
            *left = newer;
            count += 1;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: TimestampMs = TimestampMs(1_000_000);

    /// Segments of ten offsets and the sizes and largest timestamps given.
    fn segments(of: &[(u64, i64)]) -> Vec<SegmentView> {
        let view = |(at, &(size, largest)): (usize, &(u64, i64))| SegmentView {
            end: Offset((at as i64 + 1) * 10),
            size,
            largest_timestamp: Some(largest),
        };
        of.iter().enumerate().map(view).collect()
    }

    fn rules() -> Rules {
        Rules {
            log_start_offset: Offset::ZERO,
            high_watermark: Offset(1000),
            retention_bytes: None,
            retention_ms: None,
            now: NOW,
        }
    }

    fn by_time(largest: &[i64], retention_ms: i64) -> usize {
        let of: Vec<_> = largest.iter().map(|&largest| (100, largest)).collect();
        let rules = Rules {
            retention_ms: Some(retention_ms),
            ..rules()
        };
        rules.judge(&segments(&of)).by_time
    }

    fn by_size(sizes: &[u64], retention_bytes: u64) -> usize {
        let of: Vec<_> = sizes.iter().map(|&size| (size, 0)).collect();
        let rules = Rules {
            retention_bytes: Some(retention_bytes),
            ..rules()
        };
        rules.judge(&segments(&of)).by_size
    }

    #[test]
    fn without_limits_nothing_goes() {
        assert_eq!(rules().judge(&segments(&[(100, 0), (100, 0)])).count(), 0);
    }

    #[test]
    fn segments_go_when_more_than_the_time_is_over_and_the_active_one_with_them() {
        assert_eq!(by_time(&[999_000, 999_500], 1_000), 0, "just not over");
        assert_eq!(by_time(&[998_999, 999_500], 1_000), 1);
        assert_eq!(by_time(&[1, 2], 1_000), 2);
        assert_eq!(by_time(&[1, 2], i64::MAX), 0);
    }

    #[test]
    fn a_timestamp_ahead_keeps_its_segment_and_all_that_follow() {
        assert_eq!(by_time(&[1, 2_000_000, 1], 1_000), 1);
        assert_eq!(by_time(&[i64::MAX, 1], 0), 0);
    }

    #[test]
    fn what_is_not_known_to_be_old_stays() {
        let mut unknown = segments(&[(100, 1), (100, 1)]);
        unknown[0].largest_timestamp = None;
        let rules = Rules {
            retention_ms: Some(10),
            ..rules()
        };
        assert_eq!(rules.judge(&unknown).count(), 0);
    }

    #[test]
    fn size_leaves_at_least_what_is_to_be_kept() {
        assert_eq!(by_size(&[100, 100, 100], 300), 0);
        assert_eq!(by_size(&[100, 100, 100], 201), 0);
        assert_eq!(by_size(&[100, 100, 100], 200), 1);
        assert_eq!(by_size(&[100, 100, 100], 99), 2);
        assert_eq!(by_size(&[100, 100, 100], 0), 3);
        assert_eq!(by_size(&[100, 100], 1_000), 0);
        assert_eq!(
            by_size(&[250, 10], 20),
            0,
            "a large one that is not all excess stays"
        );
    }

    #[test]
    fn an_empty_active_segment_is_never_deleted() {
        assert_eq!(by_size(&[100, 0], 0), 1);
        assert_eq!(by_time(&[1], 0), 1);
        let empty = segments(&[(0, 1)]);
        let rules = Rules {
            retention_ms: Some(0),
            ..rules()
        };
        assert_eq!(rules.judge(&empty).count(), 0);
    }

    #[test]
    fn nothing_goes_past_the_high_watermark() {
        let of = segments(&[(100, 1), (100, 1), (100, 1)]);
        let rules = Rules {
            high_watermark: Offset(19),
            retention_ms: Some(0),
            retention_bytes: Some(0),
            ..rules()
        };
        assert_eq!(rules.judge(&of).count(), 1);
    }

    #[test]
    fn segments_below_the_log_start_go_whatever_the_policy_but_never_the_active_one() {
        let rules = |start| Rules {
            log_start_offset: Offset(start),
            ..rules()
        };
        let of = segments(&[(100, 1), (100, 1), (100, 1)]);
        assert_eq!(rules(9).judge(&of).by_start, 0);
        assert_eq!(rules(10).judge(&of).by_start, 1);
        assert_eq!(rules(29).judge(&of).by_start, 2);
        assert_eq!(rules(30).judge(&of).by_start, 2);
    }

    #[test]
    fn each_rule_goes_on_where_the_one_before_stopped() {
        let of = segments(&[(100, 900_000), (100, 900_000), (100, 1), (100, 900_000)]);
        let rules = Rules {
            log_start_offset: Offset(10),
            retention_bytes: Some(200),
            retention_ms: Some(500_000),
            ..rules()
        };
        let verdict = Verdict {
            by_start: 1,
            by_size: 1,
            by_time: 1,
        };
        assert_eq!(rules.judge(&of), verdict);
    }
}
