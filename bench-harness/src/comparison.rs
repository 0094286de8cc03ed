//! Brokers beside each other: rounds of runs, and what they say by ratio. Pure: no broker is started here.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::fingerprint::Fingerprint;
use crate::result::{Better, LATENCY_PREFIX, RunResult};
use crate::statistics::Spread;
use crate::units::three_digits;

/// Everything a comparison found out.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Where and how.
    pub fingerprint: Fingerprint,
    /// By which names the brokers go; the first is the one the others are held against.
    pub peers: Vec<String>,
    /// What was touched before each run.
    pub warm_bytes: u64,
    /// The brokers' CPUs and the load's.
    pub pinned: Option<(Vec<usize>, Vec<usize>)>,
    /// Whether a signal ended it early.
    pub interrupted: bool,
    /// One after the other.
    pub workloads: Vec<Workload>,
}

/// One kind of run, repeated with each broker.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// The command.
    pub command: String,
    /// By round, and then in the order of the peers.
    pub rounds: Vec<Vec<RunResult>>,
}

/// One figure of all brokers.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// Of its values.
    pub unit: String,
    /// Which way is good.
    pub better: Better,
    /// In the order of the peers.
    pub values: Vec<Option<Spread>>,
    /// Of each peer to the first, round by round.
    pub ratios: Vec<Option<Spread>>,
}

impl Workload {
    /// All figures, in the order in which the runs have them.
    pub fn rows(&self) -> Vec<Row> {
        let Some(first) = self.rounds.iter().flatten().next() else {
            return Vec::new();
        };
        let peers = self.rounds.iter().map(Vec::len).max().unwrap_or(0);
        let row = |figure: &crate::result::Figure| Row {
            name: figure.name.clone(),
            unit: figure.unit.clone(),
            better: figure.better,
            values: (0..peers)
                .map(|peer| Spread::of(self.values(&figure.name, peer)))
                .collect(),
            ratios: (0..peers)
                .map(|peer| Spread::of(self.ratios(&figure.name, peer)))
                .collect(),
        };
        first.figures.iter().map(row).collect()
    }

    /// How many runs do not count.
    pub fn invalid_runs(&self) -> usize {
        let runs = self.rounds.iter().flatten();
        runs.filter(|run| !run.is_valid()).count()
    }

    fn values(&self, name: &str, peer: usize) -> impl Iterator<Item = f64> {
        let value = move |round: &Vec<RunResult>| value(round.get(peer)?, name);
        self.rounds.iter().filter_map(value)
    }

    fn ratios(&self, name: &str, peer: usize) -> impl Iterator<Item = f64> {
        let ratio = move |round: &Vec<RunResult>| {
            let base = value(round.first()?, name).filter(|base| *base != 0.0)?;
            Some(value(round.get(peer)?, name)? / base)
        };
        self.rounds.iter().filter_map(ratio)
    }
}

/// Latencies of a run whose generator was late are not the broker's.
fn value(run: &RunResult, name: &str) -> Option<f64> {
    if name.starts_with(LATENCY_PREFIX) && !run.is_valid() {
        return None;
    }
    let figure = run.figures.iter().find(|figure| figure.name == name)?;
    Some(figure.value)
}

impl Comparison {
    /// Tables for people.
    pub fn text(&self) -> String {
        let mut text = format!("compare: {}\n", self.fingerprint.text());
        if self.interrupted {
            text.push_str("interrupted: the figures are of the rounds before\n");
        }
        for workload in &self.workloads {
            let rounds = workload.rounds.len();
            let _ = writeln!(text, "\n{} ({rounds} rounds)", workload.command);
            let _ = write!(text, "{:<46}", "median (lowest - highest)");
            for name in &self.peers {
                let _ = write!(text, " {name:>28}");
            }
            for name in self.peers.iter().skip(1) {
                let _ = write!(text, " {:>26}", format!("{name} / {}", self.peers[0]));
            }
            text.push('\n');
            for row in workload.rows() {
                let name = format!("{} [{}]", row.name, row.unit);
                let _ = write!(text, "{name:<46}");
                for value in &row.values {
                    let _ = write!(text, " {:>28}", spread_text(value.as_ref()));
                }
                for ratio in row.ratios.iter().skip(1) {
                    let _ = write!(text, " {:>26}", spread_text(ratio.as_ref()));
                }
                text.push('\n');
            }
            match workload.invalid_runs() {
                0 => {}
                invalid => {
                    let _ = writeln!(
                        text,
                        "the generator itself was late in {invalid} runs: their latencies are left out"
                    );
                }
            }
        }
        text
    }
}

/// `1.23 (1.11 - 1.30)`.
pub fn spread_text(spread: Option<&Spread>) -> String {
    match spread {
        None => "-".to_owned(),
        Some(spread) => format!(
            "{} ({} - {})",
            three_digits(spread.median),
            three_digits(spread.low),
            three_digits(spread.high)
        ),
    }
}

/// In which order the peers run in a round: there and back again, so that neither is always the second.
pub fn order(round: usize, peers: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..peers).collect();
    if round % 2 == 1 {
        order.reverse();
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::Figure;

    fn run(cpu: f64, p99: f64, valid: bool) -> RunResult {
        RunResult {
            figures: vec![
                Figure::cost("broker, CPU", cpu, "s/GB"),
                Figure::cost(format!("{LATENCY_PREFIX}x: p99"), p99, "ms"),
            ],
            invalid_because: if valid {
                vec![]
            } else {
                vec!["late".to_owned()]
            },
            ..RunResult::default()
        }
    }

    #[test]
    fn ratios_are_of_pairs_and_late_generators_are_left_out() {
        let workload = Workload {
            command: "latency".to_owned(),
            rounds: vec![
                vec![run(1.0, 5.0, true), run(2.0, 5.0, true)],
                vec![run(10.0, 5.0, true), run(20.0, 90.0, false)],
                vec![run(3.0, 4.0, true), run(9.0, 8.0, true)],
            ],
        };
        let rows = workload.rows();
        let ratio = rows[0].ratios[1].unwrap();
        assert_eq!((ratio.median, ratio.low, ratio.high), (2.0, 2.0, 3.0));
        assert_eq!(rows[0].ratios[0].unwrap().median, 1.0);
        assert_eq!(rows[1].values[1].unwrap().high, 8.0);
        assert_eq!(workload.invalid_runs(), 1);
        let comparison = Comparison {
            peers: vec!["a".to_owned(), "b".to_owned()],
            workloads: vec![workload],
            ..Comparison::default()
        };
        let text = comparison.text();
        assert!(text.contains("b / a") && text.contains("2.00 (2.00 - 3.00)"));
        assert!(text.contains("late in 1 runs"), "{text}");
    }

    #[test]
    fn a_round_that_was_cut_off_counts_for_those_that_ran() {
        let workload = Workload {
            command: "latency".to_owned(),
            rounds: vec![
                vec![run(1.0, 5.0, true), run(2.0, 5.0, true)],
                vec![run(1.5, 5.0, true)],
            ],
        };
        let rows = workload.rows();
        assert_eq!(rows[0].values[0].unwrap().high, 1.5);
        assert_eq!(rows[0].ratios[1].unwrap().high, 2.0);
        assert!(Workload::default().rows().is_empty());
    }

    #[test]
    fn every_second_round_goes_the_other_way() {
        assert_eq!(order(0, 3), [0, 1, 2]);
        assert_eq!(order(1, 3), [2, 1, 0]);
    }
}
