//! One clock for all threads of a run: nanoseconds since the run began. Monotonic.

use std::thread;
use std::time::{Duration, Instant};

/// The run's clock.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    epoch: Instant,
}

/// Sleeping wakes up late by about as much; the rest is spent watching the clock.
const SPIN: Duration = Duration::from_micros(80);

impl Clock {
    /// Starts at 0 now.
    pub fn start() -> Clock {
        Clock { epoch: Instant::now() }
    }

    /// Nanoseconds since the start.
    pub fn now_ns(&self) -> u64 {
        self.epoch.elapsed().as_nanos() as u64
    }

    /// Returns at `at_ns`, or at once if that is over. Precise to a few microseconds, at the price of some CPU time.
    pub fn sleep_until(&self, at_ns: u64) {
        let at = Duration::from_nanos(at_ns);
        let left = at.saturating_sub(self.epoch.elapsed());
        if left > SPIN {
            thread::sleep(left - SPIN);
        }
        while self.epoch.elapsed() < at {
            std::hint::spin_loop();
        }
    }
}
