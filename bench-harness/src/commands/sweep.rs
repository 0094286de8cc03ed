//! `vltava-bench sweep`: more and more load until the latency breaks a limit, with one setting or with several.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::atomic::Ordering;

use clap::Args;

use super::compare::parse;
use crate::args::{Command, CommonArgs, PacedArgs};
use crate::curve::{Curve, Next, Point, Search, Sweep};
use crate::fingerprint::Fingerprint;
use crate::result::RunResult;
use crate::run::BenchError;
use crate::signals::interrupted;
use crate::units::{parse_factor, parse_ms, parse_rate, three_digits};

/// Options of `vltava-bench sweep`.
#[derive(Args, Debug, Clone)]
#[command(after_help = "\
Examples:
  vltava-bench sweep --limit-ms 5 --json sweep.json -- end-to-end --duration 10 --arrivals poisson
      what it can take with a p99 of 5 ms, and latency against throughput on the way there
  vltava-bench sweep --over linger-ms=0,1,5 --data sweep.dat -- latency --duration 10 -b broker:9092
  vltava-bench sweep --over flush.messages=1,100,10000 --over acks=1,all -- latency
      each combination; a name with a dot in it is a property of the topic, any other an option of the command

A load that is taken is followed by one that is larger by --factor, up to the first that is not; then the gap is narrowed. A load \
is not taken when its p99 is above the limit, or less than 95 % of it was acknowledged. Where the generator itself is late \
the load is run again, and if it stays so the sweep ends and says so: the knee is the generator's, not the broker's.")]
pub struct SweepArgs {
    /// The latency that is too long: p99, of the way to the consumer where that is measured
    #[arg(long, value_name = "MS", default_value = "10", value_parser = parse_ms)]
    pub limit_ms: f64,
    /// The first load, in MB/s
    #[arg(long, value_name = "MB/s", default_value = "5", value_parser = parse_rate)]
    pub from: f64,
    /// No load beyond this, in MB/s
    #[arg(long, value_name = "MB/s", default_value = "10000", value_parser = parse_rate)]
    pub until: f64,
    /// From one load to the next
    #[arg(long, value_name = "X", default_value = "1.5", value_parser = parse_factor)]
    pub factor: f64,
    /// How often to halve the gap between the last load that was taken and the first that was not
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=10))]
    pub refine: u32,
    /// How often to run a load again in which the generator itself was late
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=100))]
    pub retries: u32,
    /// Sweep with each of these settings; of several, with each combination
    #[arg(long, value_name = "NAME=VALUE,...")]
    pub over: Vec<Over>,
    /// Write everything here too, for `report` and for programs
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write the curves here too, as columns for gnuplot: a block a setting
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// No line a load while it runs
    #[arg(long, short)]
    pub quiet: bool,
    /// `latency`, `end-to-end` or `mixed`, with its options
    #[arg(last = true, value_name = "COMMAND", default_values = ["latency", "--duration", "10"])]
    pub command: Vec<String>,
}

/// One setting and its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Over {
    name: String,
    values: Vec<String>,
}

impl FromStr for Over {
    type Err = String;

    fn from_str(text: &str) -> Result<Over, String> {
        let (name, values) = text
            .split_once('=')
            .ok_or_else(|| format!("'{text}' has no '=': write NAME=VALUE,VALUE"))?;
        let values: Vec<String> = values.split(',').map(ToOwned::to_owned).collect();
        match name.is_empty() || values.iter().any(String::is_empty) {
            true => Err(format!("'{text}' lacks a name or a value")),
            false => Ok(Over {
                name: name.to_owned(),
                values,
            }),
        }
    }
}

impl Over {
    /// The words of the command line for one of the values.
    fn words(&self, value: &str) -> Vec<String> {
        match self.name.contains('.') {
            true => vec!["--config".to_owned(), format!("{}={value}", self.name)],
            false => vec![format!("--{}", self.name), value.to_owned()],
        }
    }
}

/// Runs load after load, with setting after setting.
///
/// # Errors
/// When the first load of a setting cannot be run at all.
pub fn run(args: &SweepArgs) -> Result<Sweep, BenchError> {
    let interrupted = interrupted()?;
    let mut sweep = Sweep {
        fingerprint: Fingerprint::new(std::env::args().collect(), None),
        command: args.command.join(" "),
        limit_ms: args.limit_ms,
        ..Sweep::default()
    };
    // All settings are looked at before the first load.
    let commands = combinations(&args.over)
        .into_iter()
        .map(|(name, words)| {
            let words = args.command.iter().chain(&words);
            let mut command = parse(words.map(String::as_str))?;
            parts(&mut command)?;
            Ok((name, command))
        })
        .collect::<Result<Vec<_>, BenchError>>()?;
    for (index, (name, command)) in commands.into_iter().enumerate() {
        if interrupted.load(Ordering::Relaxed) {
            break;
        }
        // A topic of its own: its partitions and properties are those of when it is created.
        let curve = curve(args, &name, command, index)?;
        sweep.interrupted = interrupted.load(Ordering::Relaxed);
        sweep.curves.push(curve);
    }
    Ok(sweep)
}

fn curve(
    args: &SweepArgs,
    name: &str,
    mut command: Command,
    index: usize,
) -> Result<Curve, BenchError> {
    let interrupted = interrupted()?;
    let mut curve = Curve {
        name: name.to_owned(),
        ..Curve::default()
    };
    let (common, _) = parts(&mut command)?;
    common.quiet = true;
    if !args.over.is_empty() {
        common.topic = format!("{}-{index}", common.topic);
    }
    let mut search = Search::new(args.from, args.until, args.factor, args.refine);
    let mut late_in_a_row = 0;
    while let Next::Load(rate) = search.next() {
        parts(&mut command)?.1.rate = rate;
        let result = match super::execute(&command) {
            Ok(result) => result,
            Err(error) if curve.points.is_empty() => return Err(error),
            Err(error) => {
                curve.ended_by = format!("{} MB/s: {error}", three_digits(rate));
                break;
            }
        };
        if interrupted.load(Ordering::Relaxed) {
            "a signal".clone_into(&mut curve.ended_by);
            break;
        }
        let point = point(rate, args.limit_ms, &result);
        if !args.quiet {
            eprintln!("{name}  {}", point.text().trim_end());
        }
        if point.generator_was_late && late_in_a_row < args.retries {
            late_in_a_row += 1;
            continue;
        }
        late_in_a_row = 0;
        curve.points.push(point);
        if point.generator_was_late {
            let rate = three_digits(rate);
            curve.ended_by = format!("the generator itself was late at {rate} MB/s");
            break;
        }
        search.was(point.taken);
    }
    if curve.ended_by.is_empty() && curve.points.iter().all(|point| point.taken) {
        "--until, where no load was too much yet".clone_into(&mut curve.ended_by);
    }
    curve
        .points
        .sort_by(|a, b| a.asked_mb_per_s.total_cmp(&b.asked_mb_per_s));
    Ok(curve)
}

fn point(rate: f64, limit_ms: f64, result: &RunResult) -> Point {
    const ENOUGH: f64 = 0.95;
    let seconds = result.totals.seconds.max(1e-9);
    let mb_per_s = result.totals.bytes as f64 / 1e6 / seconds;
    let latency = result.headline();
    let ms = |us: Option<f64>| us.unwrap_or(0.0) / 1e3;
    let p99_ms = ms(latency.map(|latency| latency.p99_us));
    Point {
        asked_mb_per_s: rate,
        mb_per_s,
        p50_ms: ms(latency.map(|latency| latency.p50_us)),
        p99_ms,
        p999_ms: ms(latency.map(|latency| latency.p999_us)),
        taken: p99_ms <= limit_ms && mb_per_s >= rate * ENOUGH && result.lost_records == 0,
        generator_was_late: !result.is_valid(),
    }
}

/// What a sweep changes of a command.
fn parts(command: &mut Command) -> Result<(&mut CommonArgs, &mut PacedArgs), BenchError> {
    let parts = match command {
        Command::Latency(args) => Some((&mut args.common, &mut args.paced)),
        Command::EndToEnd(args) => Some((&mut args.common, &mut args.paced)),
        Command::Mixed(args) => Some((&mut args.common, &mut args.paced)),
        _ => None,
    };
    parts.ok_or_else(|| {
        BenchError::Other("a sweep is over latency, end-to-end or mixed: they have a --rate".into())
    })
}

/// Each combination of the settings: its name, and its words on the command line.
fn combinations(over: &[Over]) -> Vec<(String, Vec<String>)> {
    let mut all = vec![(Vec::new(), Vec::new())];
    for setting in over {
        let with_value = |value: &String| {
            let extended = all
                .iter()
                .map(|(names, words): &(Vec<String>, Vec<String>)| {
                    let name = format!("{}={value}", setting.name);
                    let names = names.iter().cloned().chain([name]).collect();
                    let words = words.iter().cloned().chain(setting.words(value)).collect();
                    (names, words)
                });
            extended.collect::<Vec<_>>()
        };
        all = setting.values.iter().flat_map(with_value).collect();
    }
    let named = |(names, words): (Vec<String>, _)| match names.is_empty() {
        true => ("as given".to_owned(), words),
        false => (names.join(" "), words),
    };
    all.into_iter().map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_combined_and_dots_mean_the_topic() {
        let over = ["linger-ms=0,5", "flush.messages=1"].map(|text| text.parse().unwrap());
        let all = combinations(&over);
        assert_eq!(all.len(), 2);
        assert_eq!(all[1].0, "linger-ms=5 flush.messages=1");
        let words = ["--linger-ms", "5", "--config", "flush.messages=1"];
        assert_eq!(all[1].1, words);
        assert_eq!(combinations(&[]), [("as given".to_owned(), Vec::new())]);
        for wrong in ["acks", "=1", "acks=1,", "acks="] {
            assert!(wrong.parse::<Over>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_what_has_a_rate_is_swept() {
        let mut produce = parse("produce".split(' ')).unwrap();
        assert!(parts(&mut produce).is_err());
        let mut latency = parse("latency".split(' ')).unwrap();
        assert!(parts(&mut latency).is_ok());
    }
}
