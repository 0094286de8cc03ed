//! `kafka-cluster cluster-id`: the id of a cluster; Kafka's `ClusterTool`.

use std::io::Write;
use std::time::Duration;

use super::options::{Opt, Options, help_or_version};
use super::{CommandError, connect_by, connecting};
use crate::wire::messages::describe_cluster::DescribeClusterRequest;

pub const OPTIONS: &[Opt] = &[
    connecting::BOOTSTRAP_SERVER,
    connecting::COMMAND_CONFIG,
    connecting::HELP,
    connecting::VERSION,
];

const PATIENCE: Duration = Duration::from_secs(30);
const USAGE: &str =
    "usage: kafka-cluster cluster-id --bootstrap-server HOST:PORT [--command-config FILE]";

/// Runs its one action.
///
/// # Errors
/// When the command line is wrong, or the cluster cannot be reached.
pub fn run(args: &[String], out: &mut dyn Write) -> Result<(), CommandError> {
    let Some((action, rest)) = args.split_first() else {
        return Err(CommandError::usage(USAGE));
    };
    match action.as_str() {
        "cluster-id" => {}
        "unregister" | "list-endpoints" => {
            return Err(CommandError::failed(format!(
                "kafka-cluster {action}: the cluster is one node, which cannot leave it and lists itself; use cluster-id"
            )));
        }
        _ => return Err(CommandError::usage(USAGE)),
    }
    let options = Options::parse(OPTIONS, rest)?;
    if help_or_version(&options, USAGE, out)? {
        return Ok(());
    }
    let mut cluster = connect_by(&options, "kafka-cluster", PATIENCE)?;
    let described = cluster.any()?.call(&DescribeClusterRequest::default())?;
    writeln!(out, "Cluster ID: {}", described.cluster_id)?;
    Ok(())
}
