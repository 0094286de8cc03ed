//! Latency against throughput: which load to try next, and what the loads came to. Pure: no load is run here.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::fingerprint::Fingerprint;
use crate::units::three_digits;

/// Everything a sweep found out.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sweep {
    /// Where and how.
    pub fingerprint: Fingerprint,
    /// What was run at each load.
    pub command: String,
    /// The p99 that is too long.
    pub limit_ms: f64,
    /// Whether a signal ended it early.
    pub interrupted: bool,
    /// One a setting.
    pub curves: Vec<Curve>,
}

/// Loads with one setting.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// The setting.
    pub name: String,
    /// By load.
    pub points: Vec<Point>,
    /// What ended it other than the limit; empty if nothing did.
    pub ended_by: String,
}

/// What one load came to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The load.
    pub asked_mb_per_s: f64,
    /// What was acknowledged of it.
    pub mb_per_s: f64,
    /// Half were not longer.
    pub p50_ms: f64,
    /// 99 %.
    pub p99_ms: f64,
    /// 99.9 %.
    pub p999_ms: f64,
    /// Whether it kept within the limit.
    pub taken: bool,
    /// Then the latencies are not the broker's.
    pub generator_was_late: bool,
}

impl Point {
    /// One line.
    pub fn text(&self) -> String {
        let verdict = match (self.taken, self.generator_was_late) {
            (_, true) => "the generator itself was late",
            (true, _) => "",
            (false, _) => "too much",
        };
        format!(
            "{:>9} MB/s asked  {:>9} MB/s acknowledged  p50 {:>8} ms  p99 {:>8}  p99.9 {:>8}  {verdict}",
            three_digits(self.asked_mb_per_s),
            three_digits(self.mb_per_s),
            three_digits(self.p50_ms),
            three_digits(self.p99_ms),
            three_digits(self.p999_ms),
        )
    }
}

impl Curve {
    /// The largest load that was taken before one was not.
    pub fn knee(&self) -> Option<&Point> {
        let taken = |point: &&Point| point.taken && !point.generator_was_late;
        self.points.iter().take_while(taken).last()
    }

    fn knee_text(&self) -> String {
        match self.knee() {
            Some(knee) => format!(
                "knee at {} MB/s, p99 {} ms",
                three_digits(knee.mb_per_s),
                three_digits(knee.p99_ms)
            ),
            None => "no load was taken".to_owned(),
        }
    }
}

impl Sweep {
    /// Tables for people.
    pub fn text(&self) -> String {
        let machine = self.fingerprint.text();
        let mut text = format!("sweep: {machine}\n{}\n", self.command);
        for curve in &self.curves {
            let limit = three_digits(self.limit_ms);
            let knee = curve.knee_text();
            let _ = writeln!(text, "\n{}: {knee} (limit: p99 {limit} ms)", curve.name);
            for point in &curve.points {
                let _ = writeln!(text, "  {}", point.text().trim_end());
            }
            if !curve.ended_by.is_empty() {
                let _ = writeln!(text, "  ended by: {}", curve.ended_by);
            }
        }
        if self.interrupted {
            text.push_str("interrupted: the figures are of the loads before\n");
        }
        text
    }

    /// Columns for gnuplot: a block a curve, two empty lines between them (`index`).
    pub fn columns(&self) -> String {
        let mut text = String::new();
        for curve in &self.curves {
            let _ = writeln!(text, "# {}", curve.name);
            text.push_str("# asked_mb_per_s mb_per_s p50_ms p99_ms p99.9_ms taken\n");
            for point in &curve.points {
                let _ = writeln!(
                    text,
                    "{} {} {} {} {} {}",
                    point.asked_mb_per_s,
                    point.mb_per_s,
                    point.p50_ms,
                    point.p99_ms,
                    point.p999_ms,
                    u8::from(point.taken)
                );
            }
            text.push_str("\n\n");
        }
        text
    }
}

/// Which load to try next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Next {
    /// So many MB/s.
    Load(f64),
    /// The knee is found.
    Done,
}

/// Up by a factor to the first load that is too much, then between that and the last one that was not.
#[derive(Debug, Clone)]
pub struct Search {
    next: f64,
    until: f64,
    factor: f64,
    refine: u32,
    taken: Option<f64>,
    too_much: Option<f64>,
    done: bool,
}

impl Search {
    /// Loads from `from` to `until`, and `refine` more around the knee.
    pub fn new(from: f64, until: f64, factor: f64, refine: u32) -> Search {
        Search {
            next: from.min(until),
            until,
            factor,
            refine,
            taken: None,
            too_much: None,
            done: false,
        }
    }

    /// What to try now.
    pub fn next(&self) -> Next {
        match self.done {
            true => Next::Done,
            false => Next::Load(self.next),
        }
    }

    /// What became of it.
    pub fn was(&mut self, taken: bool) {
        let tried = self.next;
        match taken {
            true => self.taken = Some(tried),
            false => self.too_much = Some(tried),
        }
        match (self.taken, self.too_much) {
            (Some(_), None) if tried < self.until => {
                self.next = (tried * self.factor).min(self.until);
            }
            (Some(low), Some(high)) if self.refine > 0 => {
                self.refine -= 1;
                self.next = (low * high).sqrt();
            }
            _ => self.done = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The loads that are tried with a broker that takes up to `limit`.
    fn tried(mut search: Search, limit: f64) -> Vec<f64> {
        let mut tried = Vec::new();
        while let Next::Load(rate) = search.next() {
            tried.push(rate.round());
            search.was(rate <= limit);
        }
        tried
    }

    #[test]
    fn loads_go_up_to_the_first_that_is_too_much_and_then_close_in() {
        let search = Search::new(10.0, 1000.0, 2.0, 2);
        assert_eq!(
            tried(search, 100.0),
            [10.0, 20.0, 40.0, 80.0, 160.0, 113.0, 95.0]
        );
    }

    #[test]
    fn a_sweep_ends_at_its_bound_and_where_nothing_is_taken() {
        let search = Search::new(10.0, 30.0, 2.0, 2);
        assert_eq!(tried(search.clone(), 1e9), [10.0, 20.0, 30.0]);
        assert_eq!(tried(search, 1.0), [10.0]);
    }

    #[test]
    fn the_knee_is_the_last_load_before_one_that_was_too_much() {
        let point = |mb_per_s, taken| Point {
            mb_per_s,
            taken,
            ..Point::default()
        };
        let curve = Curve {
            points: vec![
                point(1.0, true),
                point(2.0, true),
                point(3.0, false),
                point(4.0, true),
            ],
            ..Curve::default()
        };
        assert_eq!(curve.knee().map(|knee| knee.mb_per_s), Some(2.0));
        assert_eq!(Curve::default().knee(), None);
        let sweep = Sweep {
            curves: vec![curve],
            ..Sweep::default()
        };
        assert!(sweep.text().contains("knee at 2.00 MB/s"));
        assert_eq!(sweep.columns().lines().filter(|l| !l.is_empty()).count(), 6);
    }
}
