//! A histogram of fixed size with one writer: linear steps within each power of two, so every value is known to about 3 %.
//!
//! ```text
//! units      0..31    32..63   64..127   128..255  ...  2^31..2^32
//! buckets    32 of 1  32 of 1  32 of 2   32 of 4        32 of 2^27      896 in all, 7 KiB
//! ```
//! A unit is 32 ns for times (so the largest is 137 s) and 1 for sizes; what is larger counts as the largest.

use super::Counter;
use hdrhistogram::Histogram as HdrHistogram;
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;
use std::time::Duration;

/// Binary digits of a value that are kept.
const KEPT_BITS: u32 = 5;
const STEPS: usize = 1 << KEPT_BITS;
/// Values have at most this many binary digits, in units.
const LARGEST_BITS: u32 = 32;
const BUCKETS: usize = (LARGEST_BITS - KEPT_BITS + 1) as usize * STEPS;

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Nanoseconds, in steps of 32.
    Nanoseconds,
    /// Bytes, batches, messages.
    Count,
}

impl Unit {
    const fn shift(self) -> u32 {
        match self {
            Unit::Nanoseconds => 5,
            Unit::Count => 0,
        }
    }
}

type Buckets = Box<[Counter; BUCKETS]>;

/// Values of one kind on one core.
#[derive(Debug)]
pub struct Histogram {
    unit: Unit,
    buckets: OnceLock<Buckets>,
    sum: Counter,
    max: Counter,
}

impl Histogram {
    /// Without values, and without memory for them.
    pub const fn new(unit: Unit) -> Histogram {
        Histogram {
            unit,
            buckets: OnceLock::new(),
            sum: Counter::new(),
            max: Counter::new(),
        }
    }

    /// Counts a value. Only the histogram's own core may.
    #[inline]
    pub fn record(&self, value: u64) {
        let buckets = self.buckets.get_or_init(empty);
        buckets[index(value >> self.unit.shift())].add(1);
        self.sum.add(value);
        self.max.raise_to(value);
    }

    /// Counts a time.
    #[inline]
    pub fn record_time(&self, time: Duration) {
        self.record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    /// What has been counted so far. The count is that of the buckets, so that it never disagrees with them.
    pub fn values(&self) -> Values {
        let counts = self.buckets.get().map(|buckets| buckets.iter());
        let buckets = counts
            .into_iter()
            .flatten()
            .enumerate()
            .map(|(index, count)| (upper(index, self.unit), count.get()))
            .filter(|(_, count)| *count > 0)
            .collect();
        Values {
            unit: self.unit,
            sum: self.sum.get(),
            max: self.max.get(),
            buckets,
        }
    }
}

#[cold]
fn empty() -> Buckets {
    let buckets: Box<[Counter]> = (0..BUCKETS).map(|_| Counter::new()).collect();
    buckets
        .try_into()
        .unwrap_or_else(|_| unreachable!("as many as there are"))
}

#[inline]
fn index(units: u64) -> usize {
    let units = units.min((1 << LARGEST_BITS) - 1);
    if units < STEPS as u64 {
        return units as usize;
    }
    let exponent = units.ilog2();
    let step = (units >> (exponent - KEPT_BITS)) as usize & (STEPS - 1);
    (exponent - KEPT_BITS + 1) as usize * STEPS + step
}

/// The largest value that falls into a bucket.
fn upper(index: usize, unit: Unit) -> u64 {
    let (octave, step) = ((index / STEPS) as u32, (index % STEPS) as u64);
    let next = match octave {
        0 => step + 1,
        octave => (STEPS as u64 + step + 1) << (octave - 1),
    };
    (next << unit.shift()) - 1
}

/// What a histogram held at some moment, or between two.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Values {
    /// Of the values.
    pub unit: Unit,
    /// All values together.
    pub sum: u64,
    /// The largest since the broker started.
    pub max: u64,
    /// Largest value of a bucket and how many fell into it, by rising value, none of them empty.
    pub buckets: Vec<(u64, u64)>,
}

impl Values {
    /// None.
    pub fn none(unit: Unit) -> Values {
        Values {
            unit,
            sum: 0,
            max: 0,
            buckets: Vec::new(),
        }
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| count).sum()
    }

    /// Their mean; 0 of none.
    pub fn mean(&self) -> f64 {
        match self.count() {
            0 => 0.0,
            count => self.sum as f64 / count as f64,
        }
    }

    /// The value that a share of all (0 to 1) do not exceed; 0 of none. Too large by at most 3 %, never too small.
    pub fn quantile(&self, share: f64) -> u64 {
        let wanted = ((self.count() as f64 * share).ceil() as u64).max(1);
        let mut passed = 0;
        let found = self.buckets.iter().find(|(_, count)| {
            passed += count;
            passed >= wanted
        });
        found.map_or(0, |(upper, _)| (*upper).min(self.max))
    }

    /// How many are at most `limit`, as far as buckets tell.
    pub fn up_to(&self, limit: u64) -> u64 {
        let below = self.buckets.iter().take_while(|(upper, _)| *upper <= limit);
        below.map(|(_, count)| count).sum()
    }

    /// Adds those of another core.
    pub fn add(&mut self, other: &Values) {
        let mut merged = Vec::with_capacity(self.buckets.len().max(other.buckets.len()));
        let (mut mine, mut theirs) = (
            self.buckets.iter().peekable(),
            other.buckets.iter().peekable(),
        );
        while let Some(&&(upper, _)) = match (mine.peek(), theirs.peek()) {
            (Some(a), Some(b)) if b.0 < a.0 => theirs.peek(),
            (Some(_), _) => mine.peek(),
            (None, _) => theirs.peek(),
        } {
            let count = [&mut mine, &mut theirs]
                .into_iter()
                .filter_map(|side| side.next_if(|bucket| bucket.0 == upper))
                .map(|(_, count)| count)
                .sum();
            merged.push((upper, count));
        }
        self.buckets = merged;
        self.sum = self.sum.wrapping_add(other.sum);
        self.max = self.max.max(other.max);
    }

    /// Those that came after `earlier`. The largest is then that of the fullest bucket's end: no more is known.
    pub fn since(&self, earlier: &Values) -> Values {
        let mut before = earlier.buckets.iter().peekable();
        let mut buckets = Vec::with_capacity(self.buckets.len());
        for &(upper, count) in &self.buckets {
            let old = before
                .next_if(|bucket| bucket.0 == upper)
                .map_or(0, |b| b.1);
            if count > old {
                buckets.push((upper, count - old));
            }
        }
        let largest = buckets.last().map_or(0, |bucket| bucket.0);
        Values {
            unit: self.unit,
            sum: self.sum.wrapping_sub(earlier.sum),
            max: self.max.min(largest),
            buckets,
        }
    }

    /// As HdrHistogram's tools know them.
    pub fn to_hdr(&self) -> HdrHistogram<u64> {
        let mut histogram =
            HdrHistogram::new(3).unwrap_or_else(|_| unreachable!("3 digits are fine"));
        for &(upper, count) in &self.buckets {
            let value = upper.min(self.max);
            // It grows by itself.
            let _ = histogram.record_n(value, count);
        }
        histogram
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_cover_every_value_without_gap_or_overlap() {
        for unit in [Unit::Nanoseconds, Unit::Count] {
            for bucket in 0..BUCKETS {
                let end = upper(bucket, unit);
                assert_eq!(index(end >> unit.shift()), bucket, "{end}");
                if bucket + 1 < BUCKETS {
                    assert_eq!(index((end + 1) >> unit.shift()), bucket + 1, "{end}");
                }
            }
        }
        assert_eq!(index(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_within_a_step_of_the_true_ones_and_never_below() {
        let histogram = Histogram::new(Unit::Nanoseconds);
        for us in 1..=10_000 {
            histogram.record_time(Duration::from_micros(us));
        }
        let values = histogram.values();
        assert_eq!(values.count(), 10_000);
        for (share, true_us) in [(0.5, 5_000.0), (0.99, 9_900.0), (1.0, 10_000.0)] {
            let found = values.quantile(share) as f64 / 1_000.0;
            assert!(
                (true_us..=true_us * 1.032).contains(&found),
                "{share}: {found}"
            );
        }
        assert_eq!(values.max, 10_000_000);
        assert!((values.mean() - 5_000_500.0).abs() < 1.0);
        let hdr = values.to_hdr();
        assert_eq!(hdr.len(), 10_000);
        assert!((9_900_000..=10_220_000).contains(&hdr.value_at_quantile(0.99)));
    }

    #[test]
    fn small_counts_are_exact() {
        let widths = Histogram::new(Unit::Count);
        [1, 1, 2, 31, 63]
            .into_iter()
            .for_each(|width| widths.record(width));
        assert_eq!(widths.values().buckets, [(1, 2), (2, 1), (31, 1), (63, 1)]);
    }

    #[test]
    fn what_came_between_two_looks_is_their_difference_and_cores_add_up() {
        let (one, other) = (Histogram::new(Unit::Count), Histogram::new(Unit::Count));
        one.record(3);
        one.record(20);
        let before = one.values();
        one.record(20);
        one.record(5);
        assert_eq!(one.values().since(&before).buckets, [(5, 1), (20, 1)]);
        other.record(4);
        other.record(20);
        let mut both = one.values();
        both.add(&other.values());
        assert_eq!(both.buckets, [(3, 1), (4, 1), (5, 1), (20, 3)]);
        assert_eq!((both.count(), both.sum, both.max), (6, 72, 20));
        assert_eq!(both.up_to(5), 3);
    }

    #[test]
    fn without_values_there_is_no_memory_and_no_quantile() {
        let histogram = Histogram::new(Unit::Count);
        assert!(histogram.buckets.get().is_none());
        assert_eq!(histogram.values().quantile(0.5), 0);
    }
}
