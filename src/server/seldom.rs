//! Saying the same thing not too often: what clients can make the broker say as often as they like must not fill its log.
//!
//! On one core, without a clock of its own.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// At most once in this time.
const PAUSE: Duration = Duration::from_secs(1);

/// One kind of line.
#[derive(Default)]
pub struct Seldom {
    said: Cell<Option<Instant>>,
    withheld: Cell<u64>,
}

impl Seldom {
    /// Whether to say it at `now`; if so, how many times it was not said since the last time.
    pub fn may_say(&self, now: Instant) -> Option<u64> {
        let too_soon = |said: Instant| now.saturating_duration_since(said) < PAUSE;
        if self.said.get().is_some_and(too_soon) {
            self.withheld.set(self.withheld.get() + 1);
            return None;
        }
        self.said.set(Some(now));
        Some(self.withheld.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_counted_and_told_with_the_next() {
        let (line, began) = (Seldom::default(), Instant::now());
        assert_eq!(line.may_say(began), Some(0));
        assert_eq!(line.may_say(began + PAUSE / 2), None);
        assert_eq!(line.may_say(began + PAUSE - Duration::from_millis(1)), None);
        assert_eq!(line.may_say(began + PAUSE), Some(2));
        assert_eq!(line.may_say(began + PAUSE * 3), Some(0));
    }
}
