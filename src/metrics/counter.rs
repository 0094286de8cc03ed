//! A number that only goes up, written by one core.

use std::sync::atomic::{AtomicU64, Ordering};

/// A count with one writer and any number of readers.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Nothing counted yet.
    pub const fn new() -> Counter {
        Counter(AtomicU64::new(0))
    }

    /// Adds to it. Only its own core may: a second writer would lose counts, not more.
    #[inline]
    pub fn add(&self, more: u64) {
        let now = self.0.load(Ordering::Relaxed).wrapping_add(more);
        self.0.store(now, Ordering::Relaxed);
    }

    /// Raises it to `value` if that is more.
    #[inline]
    pub fn raise_to(&self, value: u64) {
        if value > self.0.load(Ordering::Relaxed) {
            self.0.store(value, Ordering::Relaxed);
        }
    }

    /// As of about now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
