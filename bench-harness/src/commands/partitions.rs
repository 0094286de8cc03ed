//! `vltava-bench partitions`: the same load over one partition, ten, a hundred, up to ten thousand.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clap::Args;
use vltava::client::admin;

use super::produce::{Compression, ProduceArgs};
use crate::args::{CommonArgs, LoadArgs, TopicArgs};
use crate::probe;
use crate::result::{Better, Figure, RunResult};
use crate::run::BenchError;
use crate::signals::interrupted;
use crate::target::{self, Target};
use crate::units::{Size, parse_seconds, three_digits};

/// Options of `vltava-bench partitions`.
#[derive(Args, Debug, Clone)]
#[command(after_help = "\
Examples:
  vltava-bench partitions --server-pid $(pgrep -x vltava) --json partitions.json
  vltava-bench partitions --counts 100,1000 --batch-size 64Ki --connections 8 --duration 30

Each batch goes to the next partition, so the bytes of a write are the same whatever their number: a broker whose cost depends on the \
work alone shows the same CPU seconds for each GB in every row. Each topic is deleted before the next is created.")]
pub struct PartitionsArgs {
    /// Where to.
    #[command(flatten)]
    pub common: CommonArgs,
    /// How many partitions, one after the other
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_values_t = [1, 10, 100, 1000, 10_000],
          value_parser = clap::value_parser!(i32).range(1..=100_000))]
    pub counts: Vec<i32>,
    /// Bytes of a batch, at most
    #[arg(long, value_name = "SIZE", default_value = "16Ki")]
    pub batch_size: Size,
    /// Produce to each topic for so long
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = parse_seconds)]
    pub duration: Duration,
    /// A property of the topics; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = vltava::cli::serve_args::parse_key_value)]
    pub config: Vec<(String, String)>,
    /// The load.
    #[command(flatten)]
    pub load: LoadArgs,
}

/// Creates, fills and deletes topic after topic.
///
/// # Errors
/// When a topic cannot be created or used.
pub fn run(args: &PartitionsArgs) -> Result<RunResult, BenchError> {
    let interrupted = interrupted()?;
    let mut all = Vec::new();
    for &count in &args.counts {
        if interrupted.load(Ordering::Relaxed) {
            break;
        }
        let figures = with_count(args, count)?;
        if !args.common.quiet {
            let text = figures.iter().map(|figure| {
                let value = three_digits(figure.value);
                format!("{} {value} {}", figure.name, figure.unit)
            });
            eprintln!("{}", text.collect::<Vec<_>>().join("; "));
        }
        all.extend(figures);
    }
    let mut result = RunResult::of_figures("partitions", args.common.server_pid, all);
    result.totals.interrupted = interrupted.load(Ordering::Relaxed);
    Ok(result)
}

fn with_count(args: &PartitionsArgs, count: i32) -> Result<Vec<Figure>, BenchError> {
    let common = CommonArgs {
        topic: format!("{}-{count}", args.common.topic),
        hlog: None,
        quiet: true,
        ..args.common.clone()
    };
    let topic = TopicArgs {
        partitions: count,
        replication_factor: None,
        config: args.config.clone(),
    };
    let mut cluster = target::connect(&common)?;
    let began = Instant::now();
    target::create_if_absent(&mut cluster, &common.topic, &topic)?;
    let created = began.elapsed();
    let mut waiting = (0..count).collect();
    probe::until_it_works(|| probe::write_to(&common, &mut waiting))?;
    let usable = began.elapsed();
    let produced = super::produce::run(&ProduceArgs {
        common: common.clone(),
        topic,
        load: args.load.clone(),
        batch_size: args.batch_size,
        compression: Compression::None,
        keys: None,
        duration: Some(args.duration),
        bytes: None,
    })?;
    let leaders = Target::find(&common, None)?.topic.partitions.len();
    let began = Instant::now();
    for outcome in admin::delete_topics(&mut cluster, std::slice::from_ref(&common.topic))? {
        outcome?;
    }
    let deleted = began.elapsed();
    let name = |what: &str| format!("{count} partitions: {what}");
    let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
    let mut figures = vec![
        Figure::cost(name("created"), ms(created), "ms"),
        Figure::cost(
            name("created, and a record of each acknowledged"),
            ms(usable),
            "ms",
        ),
        Figure::cost(name("deleted"), ms(deleted), "ms"),
    ];
    if leaders != count as usize {
        let found = leaders as f64;
        figures.push(Figure::new(
            name("found instead"),
            found,
            "",
            Better::Neither,
        ));
    }
    let of_interest = [
        "throughput",
        "broker, CPU for each GB",
        "broker, resident memory",
    ];
    for figure in produced.figures {
        if of_interest.contains(&figure.name.as_str()) || figure.name.ends_with("p99") {
            let name = name(&figure.name);
            figures.push(Figure { name, ..figure });
        }
    }
    Ok(figures)
}
