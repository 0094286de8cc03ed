//! Quantiles of late: what was counted since a few minutes ago, as Kafka's own quantiles forget what is older.

use crate::metrics::Stats;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Looks are kept at most this often.
const STEP: Duration = Duration::from_secs(30);
/// The oldest look that still counts.
const SPAN: Duration = Duration::from_secs(300);

/// Earlier looks at the broker.
#[derive(Default)]
pub struct Recent(Mutex<VecDeque<(Instant, Stats)>>);

impl Recent {
    /// Keeps a look and returns the one that quantiles are to be counted from: the oldest of the last minutes, `None` at first.
    pub fn base(&self, now: Instant, stats: &Stats) -> Option<Stats> {
        let mut looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let age = |look: &(Instant, Stats)| now.saturating_duration_since(look.0);
        while looks.front().is_some_and(|look| age(look) > SPAN) {
            looks.pop_front();
        }
        let base = looks.front().map(|look| look.1.clone());
        if looks.back().is_none_or(|look| age(look) >= STEP) {
            looks.push_back((now, stats.clone()));
        }
        base
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Phase;

    #[test]
    fn the_base_is_minutes_old_and_only_so_many_looks_are_kept() {
        let recent = Recent::default();
        let began = Instant::now();
        let look = |seconds: u64| Stats {
            version: String::new(),
            phase: Phase::Ready,
            uptime_ms: seconds * 1000,
            resident_bytes: 0,
            cores: Vec::new(),
        };
        let mut base = None;
        for second in 0..1000 {
            base = recent.base(began + Duration::from_secs(second), &look(second));
            assert!(recent.0.lock().expect("one thread").len() <= 12);
        }
        let age = 999 - base.expect("there was one").uptime_ms / 1000;
        assert!((270..=300).contains(&age), "{age}");
    }
}
