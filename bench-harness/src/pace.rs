//! When records are due: at even intervals from a start, whatever becomes of the records before (open loop).
//!
//! Pure arithmetic, so that it can be tested without a clock.

/// An even sequence of records. Times are nanoseconds of the run's clock.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    start_ns: u64,
    records_per_s: f64,
    linger_ns: u64,
    batch_records: u64,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Send so many records.
    Send(u64),
    /// Nothing is to be sent before this time.
    WaitUntil(u64),
}

impl Pace {
    /// The first record is due at `start_ns`. A batch goes when it has `batch_records`, or when its first record has
    /// waited for `linger_ns`.
    pub fn new(start_ns: u64, records_per_s: f64, linger_ns: u64, batch_records: u64) -> Pace {
        Pace {
            start_ns,
            records_per_s,
            linger_ns,
            batch_records,
        }
    }

    /// When record `index` (from 0) is due.
    pub fn due_ns(&self, index: u64) -> u64 {
        self.start_ns + (index as f64 * 1e9 / self.records_per_s) as u64
    }

    /// What to do at `now_ns`, after `sent` records were sent.
    pub fn step(&self, sent: u64, now_ns: u64) -> Step {
        let first_due = self.due_ns(sent);
        let full_at = self.due_ns(sent + self.batch_records - 1);
        let send_at = full_at.min(first_due + self.linger_ns);
        if now_ns < send_at {
            return Step::WaitUntil(send_at);
        }
        let elapsed_s = (now_ns - self.start_ns) as f64 / 1e9;
        let due = ((elapsed_s * self.records_per_s) as u64 + 1).saturating_sub(sent);
        Step::Send(due.clamp(1, self.batch_records))
    }

    /// When the next batch could have gone at the earliest, had nobody been late.
    pub fn earliest_send_ns(&self, sent: u64) -> u64 {
        self.due_ns(sent + self.batch_records - 1)
            .min(self.due_ns(sent) + self.linger_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn without_linger_each_record_goes_when_it_is_due() {
        let pace = Pace::new(5 * MS, 1000.0, 0, 10);
        assert_eq!(pace.step(0, 0), Step::WaitUntil(5 * MS));
        assert_eq!(pace.step(0, 5 * MS), Step::Send(1));
        assert_eq!(pace.step(1, 5 * MS), Step::WaitUntil(6 * MS));
    }

    #[test]
    fn who_is_late_sends_all_that_is_due_up_to_a_batch() {
        let pace = Pace::new(0, 1000.0, 0, 10);
        assert_eq!(pace.step(3, 7 * MS), Step::Send(5));
        assert_eq!(pace.step(3, 700 * MS), Step::Send(10));
        assert_eq!(pace.earliest_send_ns(3), 3 * MS);
    }

    #[test]
    fn linger_waits_for_more_but_not_beyond_a_full_batch() {
        let pace = Pace::new(0, 1000.0, 4 * MS, 3);
        assert_eq!(pace.step(0, MS), Step::WaitUntil(2 * MS));
        assert_eq!(pace.step(0, 2 * MS), Step::Send(3));
        let pace = Pace::new(0, 1000.0, 4 * MS, 100);
        assert_eq!(pace.step(0, MS), Step::WaitUntil(4 * MS));
        assert_eq!(pace.step(0, 4 * MS), Step::Send(5));
    }

    #[test]
    fn every_record_is_sent_once_however_late_the_sender_wakes() {
        let pace = Pace::new(0, 19_531.25, MS, 64);
        let (mut sent, mut now) = (0, 0);
        while now < 1_000 * MS {
            match pace.step(sent, now) {
                Step::WaitUntil(at) => {
                    assert!(at > now);
                    now = at + 137_000;
                }
                Step::Send(records) => {
                    assert!(
                        pace.due_ns(sent + records - 1) <= now + 60_000,
                        "sent before it was due"
                    );
                    sent += records;
                }
            }
        }
        assert!((19_400..=19_532).contains(&sent), "{sent}");
    }
}
