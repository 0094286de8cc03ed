//! One clock for all threads of a run: nanoseconds since the run began. Monotonic.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// The run's clock.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    epoch: Instant,
}

impl Clock {
    /// Starts at 0 now.
    pub fn start() -> Clock {
        Clock {
            epoch: Instant::now(),
        }
    }

    /// Nanoseconds since the start.
    pub fn now_ns(&self) -> u64 {
        self.epoch.elapsed().as_nanos() as u64
    }

    /// Returns at `at_ns`, or at once if that is over. Late by the time the kernel takes to wake a thread.
    pub fn sleep_until(&self, at_ns: u64) {
        let left = Duration::from_nanos(at_ns).saturating_sub(self.epoch.elapsed());
        if !left.is_zero() {
            thread::sleep(left);
        }
    }
}

/// Asks the kernel to wake the calling thread on time: by default it may be 50 us late, to save energy
/// (`PR_SET_TIMERSLACK` in prctl(2)). Where that is refused sleeping stays less precise, which the lateness shows.
pub fn sleep_precisely() {
    let thread = fs::read_link("/proc/thread-self").unwrap_or_default();
    if let Some(id) = thread.file_name().and_then(|id| id.to_str()) {
        let _ = fs::write(format!("/proc/{id}/timerslack_ns"), "1");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeping_never_ends_early() {
        let clock = Clock::start();
        sleep_precisely();
        for _ in 0..20 {
            let at = clock.now_ns() + 300_000;
            clock.sleep_until(at);
            assert!(clock.now_ns() >= at);
        }
    }
}
