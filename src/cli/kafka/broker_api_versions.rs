//! `kafka-broker-api-versions`: which versions of which APIs each broker serves; Kafka's `BrokerApiVersionsCommand`.

use std::io::Write;
use std::time::Duration;

use super::options::{Opt, Options, help_or_version};
use super::{CommandError, connect_by, connecting};
use crate::wire::ApiKey;
use crate::wire::messages::api_versions::ApiVersionsRequest;
use crate::wire::messages::describe_cluster::DescribeClusterRequest;

pub const OPTIONS: &[Opt] = &[
    connecting::BOOTSTRAP_SERVER,
    connecting::COMMAND_CONFIG,
    connecting::HELP,
    connecting::VERSION,
];

const PATIENCE: Duration = Duration::from_secs(30);

/// Prints the versions, broker by broker.
///
/// # Errors
/// When the command line is wrong, or a broker cannot be reached.
pub fn run(args: &[String], out: &mut dyn Write) -> Result<(), CommandError> {
    let options = Options::parse(OPTIONS, args)?;
    let about = "This tool helps to retrieve broker version information.";
    if help_or_version(&options, about, out)? {
        return Ok(());
    }
    let mut cluster = connect_by(&options, "admin", PATIENCE)?;
    let described = cluster.any()?.call(&DescribeClusterRequest::default())?;
    let request = ApiVersionsRequest {
        client_software_name: "vltava".into(),
        client_software_version: env!("CARGO_PKG_VERSION").into(),
    };
    for broker in described.brokers {
        let answer = cluster.node(broker.broker_id)?.call(&request)?;
        let rows: Vec<String> = answer
            .api_keys
            .iter()
            .map(|row| row_text(row.api_key, row.min_version, row.max_version))
            .collect();
        writeln!(
            out,
            "{}:{} (id: {} rack: {} isFenced: {}) -> (\n{}\n)",
            broker.host,
            broker.port,
            broker.broker_id,
            broker.rack.as_deref().unwrap_or("null"),
            broker.is_fenced,
            rows.join(",\n")
        )?;
    }
    Ok(())
}

fn row_text(key: i16, min: i16, max: i16) -> String {
    let versions = match min == max {
        true => min.to_string(),
        false => format!("{min} to {max}"),
    };
    match ApiKey::from_number(key) {
        Some(key) => format!(
            "\t{}({}): {versions} [usable: {max}]",
            key.name(),
            key as i16
        ),
        None => format!("\tUNKNOWN({key}): {versions} [unusable: node too new]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_written_as_kafka_writes_it() {
        assert_eq!(row_text(0, 0, 13), "\tProduce(0): 0 to 13 [usable: 13]");
        assert_eq!(
            row_text(75, 0, 0),
            "\tDescribeTopicPartitions(75): 0 [usable: 0]"
        );
        assert!(row_text(9999, 0, 1).contains("UNKNOWN(9999)"));
    }
}
