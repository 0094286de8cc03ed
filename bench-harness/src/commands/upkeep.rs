//! `vltava-bench upkeep`: how much slower acknowledgements are while the broker compacts or deletes another topic.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use vltava::client::config_admin::{ConfigChange, ConfigResource, alter_configs};
use vltava::client::{Cluster, admin, records_admin};

use super::mixed::fill;
use crate::args::{CommonArgs, LoadArgs, PacedArgs, TopicArgs, paced_help};
use crate::paced::{Paced, Readers};
use crate::result::{Better, Figure, RunResult};
use crate::run::BenchError;
use crate::target;
use crate::units::Size;

/// Options of `vltava-bench upkeep`.
#[derive(Args, Debug, Clone)]
#[command(after_help = concat!("\
Examples:
  vltava-bench upkeep --work compaction --size 10GB --rate 20 --duration 60
  vltava-bench upkeep --work deletion --size 20GB --rate 20 --duration 30

A topic of its own, NAME-upkeep, is filled first. Then the load is run twice: without the work, and with it, which begins as soon as \
the warm-up is over. A compacted topic is let alone by the broker until then (min.compaction.lag.ms); brokers look for work every \
log.cleaner.backoff.ms (15 s by default), so run for longer, or start the broker with less. A deleted topic's files go after \
file.delete.delay.ms, which is 1 s here.", paced_help!()))]
pub struct UpkeepArgs {
    /// Where to.
    #[command(flatten)]
    pub common: CommonArgs,
    /// What the broker does meanwhile
    #[arg(long, value_enum)]
    pub work: Work,
    /// The size of the topic that it does it with
    #[arg(long, value_name = "SIZE", default_value = "10GB")]
    pub size: Size,
    /// Its partitions
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(i32).range(1..=10_000))]
    pub work_partitions: i32,
    /// Its keys: so many different ones, at random
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub keys: u64,
    /// The topic.
    #[command(flatten)]
    pub topic: TopicArgs,
    /// The load.
    #[command(flatten)]
    pub load: LoadArgs,
    /// Its times.
    #[command(flatten)]
    pub paced: PacedArgs,
}

/// `--work`.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// The topic is compacted
    Compaction,
    /// The topic is deleted
    Deletion,
}

/// How often the size of the topic is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// Records younger than this are not compacted: none is older.
const NEVER_MS: &str = "3153600000000";

impl Work {
    /// How the topic is made. The last segment of a partition is not compacted: segments are small.
    fn config(self, partition_bytes: u64) -> Vec<(String, String)> {
        let segment_bytes = (partition_bytes / 20).clamp(1 << 20, 1 << 30).to_string();
        let pairs: &[(&str, &str)] = match self {
            Work::Compaction => &[
                ("cleanup.policy", "compact"),
                ("min.compaction.lag.ms", NEVER_MS),
                ("min.cleanable.dirty.ratio", "0.01"),
                ("segment.bytes", &segment_bytes),
            ],
            Work::Deletion => &[("file.delete.delay.ms", "1000")],
        };
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        pairs.iter().map(owned).collect()
    }

    /// Lets the broker begin.
    fn begin(self, cluster: &mut Cluster, topic: &str) -> Result<(), BenchError> {
        match self {
            Work::Compaction => {
                let at_once = ConfigChange::Set("min.compaction.lag.ms".into(), "0".into());
                alter_configs(cluster, &ConfigResource::topic(topic), &[at_once])?;
            }
            Work::Deletion => {
                for outcome in admin::delete_topics(cluster, &[topic.to_owned()])? {
                    outcome?;
                }
            }
        }
        Ok(())
    }
}

/// Fills the topic, and runs the load without and with the work.
///
/// # Errors
/// When the load could not run as asked.
pub fn run(args: &UpkeepArgs) -> Result<RunResult, BenchError> {
    let worked_on = CommonArgs {
        topic: format!("{}-upkeep", args.common.topic),
        ..args.common.clone()
    };
    let made = TopicArgs {
        partitions: args.work_partitions,
        replication_factor: None,
        config: args.work.config(args.size.0 / args.work_partitions as u64),
    };
    let keys = (args.work == Work::Compaction).then_some(args.keys);
    if !args.common.quiet {
        eprintln!("filling {} ...", worked_on.topic);
    }
    fill(&worked_on, &made, &args.load, args.size, keys)?;
    let quiet = CommonArgs {
        hlog: None,
        ..args.common.clone()
    };
    let load = |common| {
        Paced {
            command: "upkeep",
            common,
            topic: &args.topic,
            load: &args.load,
            paced: &args.paced,
            readers: Readers::None,
        }
        .run()
    };
    let alone = load(&quiet)?;
    let (mut result, sizes) = std::thread::scope(|scope| {
        let (done, until) = channel();
        let watch = scope.spawn(|| work_and_watch(args, &worked_on, until));
        let result = load(&args.common);
        drop(done);
        let sizes = watch
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok::<_, BenchError>((result?, sizes?))
    })?;
    result.figures.extend(sizes.figures(args.work));
    compare(&mut result, alone);
    Ok(result)
}

/// What became of the topic that was worked on.
struct Sizes {
    before: u64,
    after: u64,
    /// From the start of the work to the last change that was seen.
    last_change: Duration,
}

impl Sizes {
    fn figures(&self, work: Work) -> Vec<Figure> {
        let figure = |name, value, unit| Figure::new(name, value, unit, Better::Neither);
        let gb = |bytes: u64| bytes as f64 / 1e9;
        let mut figures = vec![
            figure("the other topic, before", gb(self.before), "GB"),
            figure("the other topic, at the end", gb(self.after), "GB"),
        ];
        // How long files of a deleted topic are there no request tells.
        if work == Work::Compaction {
            let seconds = self.last_change.as_secs_f64();
            figures.push(figure("its last change after", seconds, "s"));
        }
        figures
    }
}

/// Has the work begin once the warm-up is over, and looks at the topic until the load has ended.
fn work_and_watch(
    args: &UpkeepArgs,
    worked_on: &CommonArgs,
    until: Receiver<()>,
) -> Result<Sizes, BenchError> {
    let mut cluster = target::connect(worked_on)?;
    let before = size_of(&mut cluster, &worked_on.topic)?;
    let mut sizes = Sizes {
        before,
        after: before,
        last_change: Duration::ZERO,
    };
    if until.recv_timeout(args.paced.warmup) != Err(RecvTimeoutError::Timeout) {
        return Ok(sizes);
    }
    let began = Instant::now();
    args.work.begin(&mut cluster, &worked_on.topic)?;
    while until.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
        let now = size_of(&mut cluster, &worked_on.topic)?;
        if now != sizes.after {
            sizes.after = now;
            sizes.last_change = began.elapsed();
        }
    }
    Ok(sizes)
}

/// Bytes of a topic's logs on all brokers.
fn size_of(cluster: &mut Cluster, topic: &str) -> Result<u64, BenchError> {
    let nodes: Vec<i32> = cluster.nodes().keys().copied().collect();
    let mut bytes = 0;
    for node in nodes {
        for dir in records_admin::describe_log_dirs(cluster, node)? {
            let of_topic = dir.topics.iter().filter(|found| found.name == topic);
            let partitions = of_topic.flat_map(|topic| &topic.partitions);
            bytes += partitions
                .map(|partition| partition.partition_size.max(0).unsigned_abs())
                .sum::<u64>();
        }
    }
    Ok(bytes)
}

/// Puts the run without the work beside the one with it.
fn compare(result: &mut RunResult, alone: RunResult) {
    let ms = |result: &RunResult, of: fn(&crate::result::Latency) -> f64| {
        result.headline().map(|latency| of(latency) / 1e3)
    };
    for (name, of) in [
        (
            "p99",
            (|latency| latency.p99_us) as fn(&crate::result::Latency) -> f64,
        ),
        ("p99.9", |latency| latency.p999_us),
    ] {
        let (Some(without), Some(with)) = (ms(&alone, of), ms(result, of)) else {
            continue;
        };
        let figures = [
            Figure::cost(format!("{name} without the work"), without, "ms"),
            Figure::cost(format!("{name}, with it / without"), with / without, "x"),
        ];
        result.figures.extend(figures);
    }
    let complaints = alone.invalid_because.into_iter();
    let complaints = complaints.map(|reason| format!("without the work, {reason}"));
    result.invalid_because.extend(complaints);
    result.lost_records += alone.lost_records;
}
