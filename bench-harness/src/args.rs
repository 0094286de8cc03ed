//! The command line of `vltava-bench`. Only words and syntax.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Load generator and latency histograms for brokers of the Kafka protocol.
#[derive(Parser, Debug)]
#[command(
    name = "vltava-bench",
    version,
    max_term_width = 110,
    arg_required_else_help = true,
    after_help = "\
Examples:
  vltava-bench produce --bytes 4GB --connections 2 --server-pid $(pgrep -x vltava)
      as fast as it goes; CPU seconds of the broker for each GB
  vltava-bench consume --check-crc
      all that produce left in the topic
  vltava-bench latency --rate 20 --duration 60 --hgrm latency.hgrm --json run.json
      20 MB/s at a steady pace: from when each record was due to its acknowledgement, and to its consumer

MB and GB are millions and thousands of millions of bytes of record values."
)]
pub struct Cli {
    /// What to measure.
    #[command(subcommand)]
    pub command: Command,
}

/// What to measure.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// How fast records can be written, and at what cost
    Produce(ProduceArgs),
    /// How fast records can be read, and at what cost
    Consume(ConsumeArgs),
    /// How long records take at a steady rate
    Latency(LatencyArgs),
}

/// What every measurement has.
#[derive(Args, Debug, Clone)]
pub struct CommonArgs {
    /// Any broker of the cluster, or several with commas between them
    #[arg(
        long,
        short = 'b',
        value_name = "HOST:PORT",
        env = "VLTAVA_BOOTSTRAP",
        default_value = "127.0.0.1:9092",
        value_delimiter = ','
    )]
    pub bootstrap_server: Vec<String>,
    /// The topic to use
    #[arg(long, value_name = "NAME", default_value = "vltava-bench")]
    pub topic: String,
    /// Run the load on these CPUs only, one thread after the other
    #[arg(long, value_name = "CPU,...", value_delimiter = ',')]
    pub pin: Vec<usize>,
    /// The broker's process, on this machine: its CPU time and memory are reported
    #[arg(long, value_name = "PID")]
    pub server_pid: Option<u32>,
    /// Write all figures here too
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write the latency distribution here too, as HdrHistogram's tools read it
    #[arg(long, value_name = "FILE")]
    pub hgrm: Option<PathBuf>,
    /// No line a second while it runs
    #[arg(long, short)]
    pub quiet: bool,
}

/// How the topic is made if it is not there.
#[derive(Args, Debug, Clone)]
pub struct TopicArgs {
    /// Partitions of the topic, if it has to be created
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..))]
    pub partitions: i32,
    /// Replicas of each partition, if the topic has to be created [default: the broker's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i16).range(1..))]
    pub replication_factor: Option<i16>,
    /// A property of the topic, if it has to be created; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = vltava::cli::serve_args::parse_key_value)]
    pub config: Vec<(String, String)>,
}

/// What the records and batches are like.
#[derive(Args, Debug, Clone)]
pub struct LoadArgs {
    /// Bytes of each record's value
    #[arg(long, value_name = "SIZE", default_value = "1Ki")]
    pub record_size: Size,
    /// Whose acknowledgement to wait for: 0 nobody's, 1 the leader's, all every in-sync replica's
    #[arg(long, value_enum, default_value_t)]
    pub acks: Acks,
    /// Connections to produce on, each with a partition or more of its own
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub connections: u32,
    /// Requests on their way on each connection
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub in_flight: u32,
}

/// Options of `vltava-bench produce`.
#[derive(Args, Debug, Clone)]
#[command(after_help = "\
Examples:
  vltava-bench produce --duration 30 --batch-size 1MB
  vltava-bench produce --rate 100 --duration 30 --linger-ms 5
      100 MB/s, open loop: latency counts from when a record was due")]
pub struct ProduceArgs {
    /// Where to.
    #[command(flatten)]
    pub common: CommonArgs,
    /// The topic.
    #[command(flatten)]
    pub topic: TopicArgs,
    /// The load.
    #[command(flatten)]
    pub load: LoadArgs,
    /// Bytes of a batch, at most
    #[arg(long, value_name = "SIZE", default_value = "1MB")]
    pub batch_size: Size,
    /// How batches are compressed; they are compressed once and sent again and again
    #[arg(long, value_enum, default_value_t, value_name = "CODEC")]
    pub compression: Compression,
    /// All connections together, in MB of values a second [default: as fast as it goes]
    #[arg(long, value_name = "MB/s", value_parser = parse_rate)]
    pub rate: Option<f64>,
    /// With --rate: how long a batch may wait for more records
    #[arg(long, value_name = "MS", default_value_t = 0.0, value_parser = parse_ms)]
    pub linger_ms: f64,
    /// Stop after so long [default: 10 without --bytes]
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    pub duration: Option<Duration>,
    /// Stop after so much
    #[arg(long, value_name = "SIZE")]
    pub bytes: Option<Size>,
}

/// Options of `vltava-bench consume`.
#[derive(Args, Debug, Clone)]
#[command(after_help = "\
Examples:
  vltava-bench consume --topic orders
      every record there is, once
  vltava-bench consume --duration 30 --connections 2 --fetch-bytes 4Mi
      for half a minute, from the start again whenever the end is reached")]
pub struct ConsumeArgs {
    /// Where from.
    #[command(flatten)]
    pub common: CommonArgs,
    /// Connections to read on, each with partitions of its own, or all of them where there are not enough
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub connections: u32,
    /// The most to ask for at a time
    #[arg(long, value_name = "SIZE", default_value = "8Mi")]
    pub fetch_bytes: Size,
    /// Check the CRC of each batch
    #[arg(long)]
    pub check_crc: bool,
    /// Go on for so long, from the start again at the end [default: read all there is once]
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    pub duration: Option<Duration>,
    /// Go on for so much, from the start again at the end
    #[arg(long, value_name = "SIZE")]
    pub bytes: Option<Size>,
}

/// Options of `vltava-bench latency`.
#[derive(Args, Debug, Clone)]
#[command(after_help = "\
Examples:
  vltava-bench latency --rate 20 --duration 60
  vltava-bench latency --rate 20 --partitions 8 --connections 4 --acks all --pin 2,3
  vltava-bench latency --rate 5 --topic durable --config flush.messages=1
      each acknowledgement after an fdatasync

Records are due at even intervals. A generator or broker that falls behind does not move them: the wait counts.
'lateness' is how late the generator itself sent; if it is not far below the latencies, they are the generator's.")]
pub struct LatencyArgs {
    /// Where to.
    #[command(flatten)]
    pub common: CommonArgs,
    /// The topic.
    #[command(flatten)]
    pub topic: TopicArgs,
    /// The load.
    #[command(flatten)]
    pub load: LoadArgs,
    /// All connections together, in MB of values a second
    #[arg(long, value_name = "MB/s", default_value = "20", value_parser = parse_rate)]
    pub rate: f64,
    /// Bytes of a batch, at most
    #[arg(long, value_name = "SIZE", default_value = "64Ki")]
    pub batch_size: Size,
    /// How long a batch may wait for more records
    #[arg(long, value_name = "MS", default_value_t = 0.0, value_parser = parse_ms)]
    pub linger_ms: f64,
    /// Measure for so long
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = parse_seconds)]
    pub duration: Duration,
    /// Run for so long before it counts
    #[arg(long, value_name = "SECONDS", default_value = "3", value_parser = parse_seconds)]
    pub warmup: Duration,
    /// Only up to the acknowledgement: no consumers
    #[arg(long)]
    pub no_consumers: bool,
}

/// `--acks`.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Acks {
    /// Nobody's
    #[value(name = "0")]
    None,
    /// The leader's
    #[default]
    #[value(name = "1")]
    Leader,
    /// Every in-sync replica's
    #[value(name = "all", alias = "-1")]
    All,
}

impl Acks {
    /// The number in a Produce request.
    pub fn wire(self) -> i16 {
        match self {
            Acks::None => 0,
            Acks::Leader => 1,
            Acks::All => -1,
        }
    }
}

/// `--compression`.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    #[default]
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

/// A number of bytes: `4096`, `1MB`, `64Ki`, `2GB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Size, String> {
        let digits = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let unit: u64 = match &text[digits..] {
            "" | "B" => 1,
            "k" | "K" | "kB" | "KB" => 1000,
            "M" | "MB" => 1_000_000,
            "G" | "GB" => 1_000_000_000,
            "Ki" | "KiB" => 1 << 10,
            "Mi" | "MiB" => 1 << 20,
            "Gi" | "GiB" => 1 << 30,
            other => {
                return Err(format!(
                    "'{other}' is no unit: known are kB, MB, GB, Ki, Mi, Gi"
                ));
            }
        };
        let number: u64 = text[..digits]
            .parse()
            .map_err(|_| format!("'{text}' is no size: write 4096, 64Ki or 1MB"))?;
        match number.checked_mul(unit) {
            Some(0) | None => Err(format!("'{text}' is out of range")),
            Some(bytes) => Ok(Size(bytes)),
        }
    }
}

fn parse_rate(text: &str) -> Result<f64, String> {
    positive(text, 1_000_000.0)
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    positive(text, 1e7).map(Duration::from_secs_f64)
}

fn parse_ms(text: &str) -> Result<f64, String> {
    if text == "0" {
        return Ok(0.0);
    }
    positive(text, 60_000.0)
}

fn positive(text: &str, max: f64) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number > 0.0 && number <= max => Ok(number),
        _ => Err(format!("'{text}' is not a number above 0 and up to {max}")),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        Cli::command().debug_assert();
    }

    #[test]
    fn sizes_have_decimal_and_binary_units() {
        assert_eq!("4096".parse(), Ok(Size(4096)));
        assert_eq!("1MB".parse(), Ok(Size(1_000_000)));
        assert_eq!("64Ki".parse(), Ok(Size(65_536)));
        for wrong in ["", "MB", "1.5MB", "-1", "1XB", "0", "99999999999GB"] {
            assert!(wrong.parse::<Size>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn rates_and_times_are_finite_and_positive() {
        for wrong in ["-1", "nan", "inf", "1e99", "x", ""] {
            assert!(parse_rate(wrong).is_err(), "{wrong}");
            assert!(parse_seconds(wrong).is_err(), "{wrong}");
            assert!(parse_ms(wrong).is_err(), "{wrong}");
        }
        assert!(parse_rate("0").is_err());
        assert_eq!(parse_ms("0"), Ok(0.0));
        assert_eq!(parse_seconds("1.5"), Ok(Duration::from_millis(1500)));
    }
}
