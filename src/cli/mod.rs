//! The command line: one file per command, each a client of the wire protocol like any other (`dump-log` reads files).
//!
//! It must never know the broker's insides: what a command can learn of a broker, any Kafka client can learn.
//! Runs on the main thread with blocking sockets; no runtime.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | done; also when the reader of our standard output went away, as `vltava consume x \| head` does |
//! | 1 | the operation failed: the reason is on standard error |
//! | 2 | the command line is wrong |

pub mod args;
pub mod format;
pub mod serve_args;

use clap::{Parser, Subcommand};

use args::{ConsumeArgs, DumpLogArgs, ProduceArgs, TopicsArgs};
use serve_args::ServeArgs;

/// The whole command line of `vltava`.
#[derive(Parser, Debug)]
#[command(
    name = "vltava",
    version,
    about = "A message broker that speaks Apache Kafka's protocol",
    long_about = "A message broker that speaks Apache Kafka's protocol and keeps Apache Kafka's files.\n\n\
                  `serve` runs the broker. The other commands are clients: they work against any Kafka broker.",
    after_help = EXAMPLES,
    max_term_width = 110,
    arg_required_else_help = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  vltava serve                                          a broker on 127.0.0.1:9092, data in ./vltava-data
  vltava topics create orders --partitions 6
  echo 'hello' | vltava produce orders
  vltava consume orders --from-beginning --max-messages 1

`vltava COMMAND --help` has more of each.";

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run the broker
    Serve(Box<ServeArgs>),
    /// A client command
    #[command(flatten)]
    Client(ClientCommand),
}

/// The commands that talk to a broker, or read its files.
#[derive(Subcommand, Debug)]
pub enum ClientCommand {
    /// Create, list, describe and delete topics
    Topics(TopicsArgs),
    /// Send the lines of standard input as records
    Produce(ProduceArgs),
    /// Print the records of a topic
    Consume(ConsumeArgs),
    /// Print what a file of a partition's log holds, and check it
    #[command(name = "dump-log")]
    DumpLog(DumpLogArgs),
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
    fn every_command_shows_examples_in_its_help() {
        for command in Cli::command()
            .get_subcommands()
            .filter(|c| c.get_name() != "help")
        {
            let help = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(
                help.contains(&format!("vltava {}", command.get_name())),
                "{}: {help}",
                command.get_name()
            );
        }
    }
}
