//! The options of the client commands and their help.
//!
//! Only words and syntax: no command is run here. Defaults that matter to a user are said in the help itself.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::serve_args::parse_key_value;
use super::values::{Acks, Compression, Separator, StartOffset};

/// How to reach the cluster; part of every command that does.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Connection")]
pub struct ConnectArgs {
    /// Any broker of the cluster, or several with commas between them; the others are learnt from it
    #[arg(
        long,
        short = 'b',
        value_name = "HOST:PORT",
        env = "VLTAVA_BOOTSTRAP",
        default_value = "127.0.0.1:9092",
        value_delimiter = ','
    )]
    pub bootstrap_server: Vec<String>,

    /// Give up on an operation after so long
    #[arg(long, value_name = "MS", default_value_t = 30_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub timeout_ms: u32,

    /// The name the broker knows us by
    #[arg(long, value_name = "NAME", default_value = "vltava-cli")]
    pub client_id: String,
}

impl ConnectArgs {
    /// `--timeout-ms` as a duration.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms.into())
    }
}

/// Options of `vltava topics`.
#[derive(Args, Debug, Clone)]
#[command(after_help = "\
Examples:
  vltava topics create orders payments --partitions 6 --config retention.ms=86400000
  vltava topics list
  vltava topics describe orders --configs
  vltava topics delete orders")]
pub struct TopicsArgs {
    /// What to do with topics.
    #[command(subcommand)]
    pub action: TopicsAction,
}

/// The actions of `vltava topics`.
#[derive(Subcommand, Debug, Clone)]
pub enum TopicsAction {
    /// Create topics
    Create(CreateTopicsArgs),
    /// Print the names of the topics, one a line
    List(ListTopicsArgs),
    /// Print partitions, leaders and replicas of topics
    Describe(DescribeTopicsArgs),
    /// Delete topics and all their records
    Delete(DeleteTopicsArgs),
}

/// Options of `vltava topics create`.
#[derive(Args, Debug, Clone)]
#[command(after_help = "\
Examples:
  vltava topics create orders
      with the broker's defaults (num.partitions, default.replication.factor)
  vltava topics create audit --partitions 12 --config flush.messages=1 --config segment.bytes=268435456
  vltava topics create audit --partitions 12 --validate-only
      is it possible? Creates nothing")]
pub struct CreateTopicsArgs {
    /// The topics to create
    #[arg(required = true, value_name = "TOPIC")]
    pub names: Vec<String>,
    /// How many partitions [default: the broker's num.partitions]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    pub partitions: Option<i32>,
    /// How many brokers keep a copy of each partition [default: the broker's default.replication.factor]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(i16).range(1..))]
    pub replication_factor: Option<i16>,
    /// A property of the topics, over the broker's; may be given several times
    #[arg(long, short, value_name = "KEY=VALUE", value_parser = parse_key_value)]
    pub config: Vec<(String, String)>,
    /// Succeed silently where a topic of the name is already there
    #[arg(long)]
    pub if_not_exists: bool,
    /// Only ask whether it would work
    #[arg(long)]
    pub validate_only: bool,
    /// Where the cluster is.
    #[command(flatten)]
    pub connect: ConnectArgs,
}

/// Options of `vltava topics list`.
#[derive(Args, Debug, Clone)]
pub struct ListTopicsArgs {
    /// Leave out the topics the broker keeps for itself, such as __consumer_offsets
    #[arg(long)]
    pub exclude_internal: bool,
    /// Where the cluster is.
    #[command(flatten)]
    pub connect: ConnectArgs,
}

/// Options of `vltava topics describe`.
#[derive(Args, Debug, Clone)]
pub struct DescribeTopicsArgs {
    /// The topics to describe; none means all
    #[arg(value_name = "TOPIC")]
    pub names: Vec<String>,
    /// Print every property of the topics too, and where its value comes from
    #[arg(long)]
    pub configs: bool,
    /// Where the cluster is.
    #[command(flatten)]
    pub connect: ConnectArgs,
}

/// Options of `vltava topics delete`.
#[derive(Args, Debug, Clone)]
pub struct DeleteTopicsArgs {
    /// The topics to delete
    #[arg(required = true, value_name = "TOPIC")]
    pub names: Vec<String>,
    /// Succeed silently where there is no topic of the name
    #[arg(long)]
    pub if_exists: bool,
    /// Where the cluster is.
    #[command(flatten)]
    pub connect: ConnectArgs,
}

/// Options of `vltava produce`.
#[derive(Args, Debug, Clone)]
#[command(after_help = "\
Examples:
  journalctl -f | vltava produce logs --compression zstd
      each line a record; what has arrived is sent after --linger-ms at the latest

  printf 'anna\\t12\\nben\\t7\\n' | vltava produce scores --key-separator '\\t'
      keys anna and ben; equal keys go to the same partition, the one every Kafka client would choose

  printf 'trace:1,retry:no\\tbody\\n' | vltava produce jobs --headers
      two headers, then a tab, then the value

  vltava produce jobs --header source=backup --acks all --idempotent < list.txt
      the same header on every record; acknowledged by all replicas, none twice")]
pub struct ProduceArgs {
    /// The topic to send to
    pub topic: String,
    /// The line is KEY, this text, VALUE; without it records have no key. \t \n \\ \xNN are understood
    #[arg(long, short, value_name = "TEXT")]
    pub key_separator: Option<Separator>,
    /// The line starts with NAME:VALUE,NAME:VALUE and a tab (may be only the tab), as for Kafka's console producer
    #[arg(long)]
    pub headers: bool,
    /// A header for every record; may be given several times
    #[arg(long, short = 'H', value_name = "NAME=VALUE", value_parser = parse_key_value)]
    pub header: Vec<(String, String)>,
    /// A key or value that is exactly this text is null
    #[arg(long, value_name = "TEXT")]
    pub null_marker: Option<String>,
    /// Send everything to this partition [default: by key; without one, a partition a batch]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    pub partition: Option<i32>,
    /// Whose acknowledgement to wait for: 0 nobody's, 1 the leader's, all every in-sync replica's
    #[arg(long, short, value_enum, default_value_t)]
    pub acks: Acks,
    /// How batches are compressed
    #[arg(long, short = 'z', value_enum, default_value_t, value_name = "CODEC")]
    pub compression: Compression,
    /// Have the broker drop what a retry sent twice, and keep order; needs --acks all
    #[arg(long)]
    pub idempotent: bool,
    /// Send a batch when it has grown to so many bytes
    #[arg(long, value_name = "BYTES", default_value_t = 262_144, value_parser = clap::value_parser!(u32).range(1..=MAX_BATCH_BYTES))]
    pub batch_bytes: u32,
    /// Send what there is when no line came for so long
    #[arg(long, value_name = "MS", default_value_t = 5)]
    pub linger_ms: u32,
    /// Where the cluster is.
    #[command(flatten)]
    pub connect: ConnectArgs,
}

/// The largest batch the command line builds: room for a broker's usual limits and far from those of an `i32`.
const MAX_BATCH_BYTES: i64 = 256 << 20;

/// Options of `vltava consume`.
#[derive(Args, Debug, Clone)]
#[command(after_help = "\
Examples:
  vltava consume orders
      what arrives from now on, values only, until interrupted

  vltava consume orders --from-beginning --exit-at-end --format '%p:%o %k=%v\\n' > orders.txt
      all there is now, with partition, offset and key

  vltava consume orders --partition 2 --offset 1200 --max-messages 10
  vltava consume orders --offset -5 --exit-at-end
      the last five records of each partition

Format: %v value  %k key  %o offset  %p partition  %T topic  %t timestamp (ms)  %h headers (name:value,...)  %% a percent sign;
        \\n \\t \\r \\0 \\\\ \\xNN. Bytes are printed as they are; nothing is added after a record, so end with \\n.")]
pub struct ConsumeArgs {
    /// The topic to read
    pub topic: String,
    /// Start with the oldest record there is
    #[arg(long, conflicts_with = "offset")]
    pub from_beginning: bool,
    /// Where to start: an offset, beginning, end, -N for N records before the end, or @MS for a time since 1970
    #[arg(
        long,
        short,
        value_name = "WHERE",
        default_value = "end",
        allow_hyphen_values = true
    )]
    pub offset: StartOffset,
    /// Read only this partition; may be given several times [default: all]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    pub partition: Vec<i32>,
    /// Stop after so many records
    #[arg(long, short = 'n', value_name = "N")]
    pub max_messages: Option<u64>,
    /// Stop at the end of each partition as it was at the start, in place of waiting for more
    #[arg(long, short)]
    pub exit_at_end: bool,
    /// How a record is printed; see below
    #[arg(long, short, value_name = "FORMAT", default_value = "%v\\n")]
    pub format: super::format::RecordFormat,
    /// What a null key or value is printed as
    #[arg(long, value_name = "TEXT", default_value = "null")]
    pub null_marker: String,
    /// Leave out records of transactions that are open or were aborted
    #[arg(long)]
    pub read_committed: bool,
    /// The most to ask of a broker at a time
    #[arg(long, value_name = "BYTES", default_value_t = 8 << 20, value_parser = clap::value_parser!(u32).range(1..=MAX_BATCH_BYTES))]
    pub fetch_bytes: u32,
    /// Where the cluster is.
    #[command(flatten)]
    pub connect: ConnectArgs,
}

/// Options of `vltava dump-log`.
#[derive(Args, Debug, Clone)]
#[command(after_help = "\
Examples:
  vltava dump-log vltava-data/orders-0/00000000000000000000.log
      one line a batch, and whether each is whole and its CRC right

  vltava dump-log --records vltava-data/orders-0/*.log | less
      and one line a record, with key, value and headers

  vltava dump-log vltava-data/orders-0/00000000000000000000.index vltava-data/orders-0/*.timeindex
  vltava dump-log --cluster-metadata vltava-data/__cluster_metadata-0/00000000000000000000.log

The kind is told by the name: .log, .index, .timeindex, .snapshot (producer state), .checkpoint (metadata snapshot),
leader-epoch-checkpoint and the other checkpoint files. The exit code is 1 if anything in a file is damaged.")]
pub struct DumpLogArgs {
    /// The files to read
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Print each record with its key, value and headers, not only each batch
    #[arg(long, short)]
    pub records: bool,
    /// The records are cluster metadata: print what they say
    #[arg(long)]
    pub cluster_metadata: bool,
    /// Stop after so many bytes of each file
    #[arg(long, value_name = "N")]
    pub max_bytes: Option<u64>,
}
