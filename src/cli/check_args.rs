//! The command line of `vltava check`: only words; the work is the room `check`'s.

use std::path::PathBuf;

use clap::Args;

/// Options of `vltava check`.
#[derive(Args, Debug, Clone)]
#[command(after_help = HELP)]
pub struct CheckArgs {
    /// The data directories of a broker: all of its log.dirs, or some
    #[arg(value_name = "DIR", required = true)]
    pub dirs: Vec<PathBuf>,

    /// Put right what can be put right without losing a record that could still be read, and say each thing that is done
    #[arg(long)]
    pub repair: bool,

    /// Look into the batches too: inflate them and take every record apart (slower)
    #[arg(long)]
    pub records: bool,
}

const HELP: &str = "\
What is checked: meta.properties, the mark of a clean stop, every checkpoint; the metadata log, each record of it; in each
partition's folder the topic id, every batch (size, checksum, offsets), every index entry against the batches, producer
snapshots, aborted transactions, leader epochs; files that a stop left unfinished, foreign files, partitions that are missing.

No broker may run on the directories: their locks are held meanwhile. Without --repair nothing is written. Of several log.dirs name
all: the metadata, which is in one of them, tells what should be in the others, and a partition may be in only one.

Each line is one thing that is wrong: path, position in bytes and offset, what is wrong; what a start would make of it, and
what to do. The last line counts, over all directories. Progress is on standard error.

--repair makes index files again, removes files that a stop left unfinished and checkpoints and snapshots that cannot be read
(a start makes them anew), and cuts a torn end off the last segment; the bytes it cuts off are kept beside it as
<segment>.<n>.damaged. Damage before whole batches is told with its offsets and left alone: cutting there would lose them.

Exit code: 0 nothing is wrong (or all of it was put right), 1 something is wrong, 2 it cannot be checked.

Examples:
  vltava check /var/lib/vltava
      after a disk error, before a start; while the broker is stopped

  vltava check /disk1/vltava /disk2/vltava
      several log.dirs, with one count and one exit code

  vltava check /var/lib/vltava --repair && vltava serve --data-dir /var/lib/vltava

  cp -a /backup/vltava /tmp/copy && vltava check /tmp/copy --records
      is the backup whole, to the last record?";
