//! How many bytes a second compaction may read and write, over all its threads.

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The longest sleep at a time: whoever is to stop is told soon.
const NAP: Duration = Duration::from_millis(100);

/// `log.cleaner.io.max.bytes.per.second`, shared by the threads of compaction.
#[derive(Debug)]
pub struct Throttle {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    bytes_per_second: f64,
    /// When all that was asked for until now may have happened.
    free_at: Instant,
}

impl Throttle {
    /// A throttle with this many bytes a second.
    pub fn new(bytes_per_second: f64) -> Throttle {
        Throttle {
            state: Mutex::new(State {
                bytes_per_second,
                free_at: Instant::now(),
            }),
        }
    }

    /// Changes the rate from now on.
    pub fn set_rate(&self, bytes_per_second: f64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.bytes_per_second != bytes_per_second {
            state.bytes_per_second = bytes_per_second;
            state.free_at = Instant::now();
        }
    }

    /// Counts `bytes` that were read or written, and sleeps as long as they were too many. Ends early when `stop` says so.
    pub fn pace(&self, bytes: u64, stop: impl Fn() -> bool) {
        let mut left = self.charge(bytes, Instant::now());
        while !left.is_zero() && !stop() {
            let nap = left.min(NAP);
            thread::sleep(nap);
            left -= nap;
        }
    }

    /// Takes `bytes` off what may happen; returns how long to wait.
    fn charge(&self, bytes: u64, now: Instant) -> Duration {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds = bytes as f64 / state.bytes_per_second.max(f64::MIN_POSITIVE);
        // A rate near zero must not end in an instant that cannot be expressed.
        let costs = Duration::try_from_secs_f64(seconds.min(3600.0)).unwrap_or_default();
        state.free_at = state.free_at.max(now) + costs;
        state.free_at - now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_the_rate_is_waited_for_by_whoever_comes_next_too() {
        let throttle = Throttle::new(1_000.0);
        let now = Instant::now();
        throttle.set_rate(100.0);
        let now = now.max(throttle.state.lock().unwrap().free_at);
        assert_eq!(throttle.charge(100, now), Duration::from_secs(1));
        assert_eq!(throttle.charge(50, now), Duration::from_millis(1_500));
        let later = now + Duration::from_secs(10);
        assert_eq!(throttle.charge(100, later), Duration::from_secs(1));
    }

    #[test]
    fn the_default_rate_costs_nothing_and_stopping_ends_the_wait() {
        let throttle = Throttle::new(f64::MAX);
        let now = Instant::now();
        let now = now.max(throttle.state.lock().unwrap().free_at);
        assert_eq!(throttle.charge(u64::MAX, now), Duration::ZERO);
        let slow = Throttle::new(1.0);
        slow.pace(1_000_000, || true);
    }
}
