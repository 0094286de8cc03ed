//! When records are due, whatever becomes of the records before (open loop): at even intervals, or at random ones as from
//! many clients that know nothing of each other (a Poisson process, seeded: the same run has the same moments).
//!
//! Pure arithmetic, so that it can be tested without a clock. Sender and receiver of a connection each have an [`Arrivals`]
//! of their own that says the same.

use std::collections::VecDeque;

/// The moments at which records are due, one after the other, without end. Nanoseconds of the run's clock.
#[derive(Debug, Clone)]
pub struct Arrivals {
    start_ns: u64,
    records_per_s: f64,
    index: u64,
    random: Option<Random>,
}

/// State of the random intervals.
#[derive(Debug, Clone)]
struct Random {
    state: u64,
    /// From the start to the record before.
    elapsed_ns: f64,
}

impl Arrivals {
    /// The first record is due at `start_ns`, the others at even intervals.
    pub fn constant(start_ns: u64, records_per_s: f64) -> Arrivals {
        Arrivals {
            start_ns,
            records_per_s,
            index: 0,
            random: None,
        }
    }

    /// As many on average, at random and independent of each other.
    pub fn poisson(start_ns: u64, records_per_s: f64, seed: u64) -> Arrivals {
        Arrivals {
            random: Some(Random {
                state: seed,
                elapsed_ns: 0.0,
            }),
            ..Arrivals::constant(start_ns, records_per_s)
        }
    }
}

impl Iterator for Arrivals {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let mean_ns = 1e9 / self.records_per_s;
        let elapsed_ns = match &mut self.random {
            // From the index each time: nothing adds up over a long run.
            None => self.index as f64 * mean_ns,
            Some(random) => {
                random.elapsed_ns -= random.uniform().ln() * mean_ns;
                random.elapsed_ns
            }
        };
        self.index += 1;
        Some(self.start_ns + elapsed_ns as u64)
    }
}

impl Random {
    /// Above 0 and up to 1 (Steele, Lea and Flood's SplitMix64).
    fn uniform(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        ((mixed >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Send so many records.
    Send(u64),
    /// Nothing is to be sent before this time.
    WaitUntil(u64),
}

/// Gathers records that are due into batches.
#[derive(Debug, Clone)]
pub struct Pace {
    arrivals: Arrivals,
    /// When the next records are due: those of one batch.
    ahead: VecDeque<u64>,
    linger_ns: u64,
    batch_records: usize,
}

impl Pace {
    /// A batch goes when it has `batch_records`, or when its first record has waited for `linger_ns`.
    pub fn new(arrivals: Arrivals, linger_ns: u64, batch_records: usize) -> Pace {
        let mut pace = Pace {
            arrivals,
            ahead: VecDeque::new(),
            linger_ns,
            batch_records: batch_records.max(1),
        };
        pace.look_ahead();
        pace
    }

    /// The moments that records are due from here on, for who takes the answers.
    pub fn arrivals(&self) -> impl Iterator<Item = u64> + use<> {
        self.ahead.clone().into_iter().chain(self.arrivals.clone())
    }

    /// What to do at `now_ns`.
    pub fn step(&self, now_ns: u64) -> Step {
        let send_at = self.earliest_send_ns();
        if now_ns < send_at {
            return Step::WaitUntil(send_at);
        }
        let due = self.ahead.partition_point(|&due_ns| due_ns <= now_ns);
        Step::Send(due.max(1) as u64)
    }

    /// When the next batch could go at the earliest, had nobody been late.
    pub fn earliest_send_ns(&self) -> u64 {
        let (first, last) = (self.ahead[0], self.ahead[self.ahead.len() - 1]);
        last.min(first.saturating_add(self.linger_ns))
    }

    /// When each of the next records is due, of one batch at most.
    pub fn upcoming(&self, records: usize) -> impl Iterator<Item = u64> {
        self.ahead.iter().take(records).copied()
    }

    /// The next records go out: when each was due.
    pub fn take(&mut self, records: usize) -> Vec<u64> {
        let taken = self.ahead.drain(..records.min(self.batch_records));
        let taken = taken.collect();
        self.look_ahead();
        taken
    }

    fn look_ahead(&mut self) {
        let missing = self.batch_records - self.ahead.len();
        self.ahead.extend(self.arrivals.by_ref().take(missing));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn even(start_ns: u64, records_per_s: f64, linger_ns: u64, batch_records: usize) -> Pace {
        Pace::new(
            Arrivals::constant(start_ns, records_per_s),
            linger_ns,
            batch_records,
        )
    }

    #[test]
    fn without_linger_each_record_goes_when_it_is_due() {
        let mut pace = even(5 * MS, 1000.0, 0, 10);
        assert_eq!(pace.step(0), Step::WaitUntil(5 * MS));
        assert_eq!(pace.step(5 * MS), Step::Send(1));
        assert_eq!(pace.take(1), [5 * MS]);
        assert_eq!(pace.step(5 * MS), Step::WaitUntil(6 * MS));
    }

    #[test]
    fn who_is_late_sends_all_that_is_due_up_to_a_batch() {
        let mut pace = even(0, 1000.0, 0, 10);
        pace.take(3);
        assert_eq!(pace.step(7 * MS), Step::Send(5));
        assert_eq!(pace.step(700 * MS), Step::Send(10));
        assert_eq!(pace.earliest_send_ns(), 3 * MS);
        assert!(pace.upcoming(3).eq([3 * MS, 4 * MS, 5 * MS]));
    }

    #[test]
    fn linger_waits_for_more_but_not_beyond_a_full_batch() {
        let pace = even(0, 1000.0, 4 * MS, 3);
        assert_eq!(pace.step(MS), Step::WaitUntil(2 * MS));
        assert_eq!(pace.step(2 * MS), Step::Send(3));
        let pace = even(0, 1000.0, 4 * MS, 100);
        assert_eq!(pace.step(MS), Step::WaitUntil(4 * MS));
        assert_eq!(pace.step(4 * MS), Step::Send(5));
    }

    /// Drives a pace with a sender that wakes late each time: when its records were due.
    fn sent_within(mut pace: Pace, end_ns: u64) -> Vec<u64> {
        let (mut sent, mut now) = (Vec::new(), 0);
        while now < end_ns {
            match pace.step(now) {
                Step::WaitUntil(at) => {
                    assert!(at > now);
                    now = at + 137_000;
                }
                Step::Send(records) => {
                    let taken = pace.take(records as usize);
                    assert!(taken.iter().all(|&due| due <= now), "sent before it is due");
                    sent.extend(taken);
                }
            }
        }
        sent
    }

    #[test]
    fn every_record_is_sent_once_however_late_the_sender_wakes() {
        let sent = sent_within(even(0, 19_531.25, MS, 64), 1_000 * MS);
        assert!((19_400..=19_532).contains(&sent.len()), "{}", sent.len());
        assert_eq!(sent[19_000], (19_000_f64 * 1e9 / 19_531.25) as u64);
    }

    #[test]
    fn sender_and_receiver_agree_on_random_arrivals() {
        let pace = Pace::new(Arrivals::poisson(3 * MS, 10_000.0, 7), MS, 32);
        let received = pace.arrivals();
        let sent = sent_within(pace, 500 * MS);
        assert!(sent.len() > 4_000);
        assert_eq!(sent, received.take(sent.len()).collect::<Vec<_>>());
    }

    #[test]
    fn random_arrivals_come_at_their_rate_and_are_as_uneven_as_they_should_be() {
        let due: Vec<u64> = Arrivals::poisson(0, 1000.0, 42).take(100_000).collect();
        let mean_ms = due[due.len() - 1] as f64 / 1e6 / due.len() as f64;
        assert!((mean_ms - 1.0).abs() < 0.02, "{mean_ms}");
        let gaps = due.windows(2).map(|pair| (pair[1] - pair[0]) as f64 / 1e6);
        let squares = gaps.map(|gap| (gap - 1.0).powi(2)).sum::<f64>();
        let deviation = (squares / due.len() as f64).sqrt();
        // That of an exponential distribution is its mean; even intervals have none.
        assert!((deviation - 1.0).abs() < 0.05, "{deviation}");
        let again: Vec<u64> = Arrivals::poisson(0, 1000.0, 42).take(100).collect();
        assert_eq!(again, due[..100]);
        assert!(!Arrivals::poisson(0, 1000.0, 43).take(100).eq(again));
    }
}
