//! `kafka-topics --describe`: topics and partitions in the columns of Kafka's `TopicCommand`, for scripts that cut them.
//!
//! Eligible leader replicas (KIP-966) come from DescribeTopicPartitions; a broker that does not serve it is asked by Metadata, and
//! the columns say `N/A` as Kafka's do.

use std::collections::BTreeMap;
use std::io::Write;

use super::super::CommandError;
use super::super::options::Options;
use super::{REPORTS, exists_as_expected, matching};
use crate::client::admin;
use crate::client::config_admin::{ConfigResource, describe_configs};
use crate::client::{Cluster, PartitionInfo, TopicInfo};
use crate::types::kafka_uuid;
use crate::wire::messages::describe_configs::DescribeConfigsResourceResult;

/// `ConfigSource.DEFAULT_CONFIG`.
const DEFAULT_CONFIG: i8 = 5;
const PARTITIONS_A_PAGE: i32 = 2000;

/// Prints what `--topic` or `--topic-id` means, all without them.
///
/// # Errors
/// What is asked for is not there, or a broker refuses.
pub fn run(
    options: &Options,
    cluster: &mut Cluster,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    let topics = chosen(options, cluster)?;
    let page = options
        .number("partition-size-limit-per-response")?
        .unwrap_or(PARTITIONS_A_PAGE);
    let names: Vec<String> = topics.iter().map(|topic| topic.name.clone()).collect();
    let resources: Vec<ConfigResource> = names
        .iter()
        .map(|name| ConfigResource::topic(name))
        .collect();
    let configs = describe_configs(cluster, &resources, false)?;
    let eligible = admin::eligible_leaders(cluster, &names, page)?;
    let reports = REPORTS.iter().any(|report| options.has(report));
    for (topic, configs) in topics.iter().zip(configs) {
        let overridden: Vec<String> = configs
            .iter()
            .filter(|c| !is_default(c))
            .map(shown)
            .collect();
        let plain = options.has("topics-with-overrides") && overridden.is_empty();
        if !reports && !plain {
            print_topic(topic, &overridden, out)?;
        }
        if options.has("topics-with-overrides") {
            continue;
        }
        let minimum = minimum_in_sync(&configs);
        for partition in &topic.partitions {
            if !reports || reported(options, partition, minimum, cluster.nodes()) {
                let columns = eligible
                    .as_ref()
                    .map(|found| found.get(&(topic.name.clone(), partition.index)));
                let columns = columns.map(|found| found.cloned().unwrap_or_default());
                print_partition(&topic.name, partition, columns, out)?;
            }
        }
    }
    Ok(())
}

fn chosen(options: &Options, cluster: &mut Cluster) -> Result<Vec<TopicInfo>, CommandError> {
    let Some(text) = options.value("topic-id") else {
        let topics = matching(options, cluster)?;
        exists_as_expected(options, topics.is_empty())?;
        return Ok(topics);
    };
    let id = kafka_uuid::decode(text).ok_or_else(|| {
        CommandError::failed(format!("'{text}' is no topic id: 22 characters of base64"))
    })?;
    let mut topics = cluster.all_topics()?;
    topics.retain(|topic| topic.id == id && !(topic.internal && options.has("exclude-internal")));
    if topics.is_empty() && !options.has("if-exists") {
        return Err(CommandError::failed(format!(
            "TopicId '{text}' does not exist as expected"
        )));
    }
    Ok(topics)
}

fn is_default(config: &DescribeConfigsResourceResult) -> bool {
    config.is_default || config.config_source == DEFAULT_CONFIG
}

fn shown(config: &DescribeConfigsResourceResult) -> String {
    format!(
        "{}={}",
        config.name,
        config.value.as_deref().unwrap_or("null")
    )
}

fn minimum_in_sync(configs: &[DescribeConfigsResourceResult]) -> usize {
    let named = configs
        .iter()
        .find(|config| config.name == "min.insync.replicas");
    let value = named.and_then(|config| config.value.as_deref()?.parse().ok());
    value.unwrap_or(1)
}

/// Whether one of the reports asked for has this partition.
fn reported(
    options: &Options,
    partition: &PartitionInfo,
    minimum: usize,
    alive: &BTreeMap<i32, String>,
) -> bool {
    let in_sync = partition.in_sync.len();
    let leader = partition.leader.filter(|leader| alive.contains_key(leader));
    REPORTS.iter().any(|&report| {
        options.has(report)
            && match report {
                "under-replicated-partitions" => in_sync < partition.replicas.len(),
                "under-min-isr-partitions" => partition.leader.is_none() || in_sync < minimum,
                "at-min-isr-partitions" => in_sync == minimum,
                _ => leader.is_none(),
            }
    })
}

fn print_topic(
    topic: &TopicInfo,
    configs: &[String],
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    write!(out, "Topic: {}", topic.name)?;
    if !topic.id.is_nil() {
        write!(out, "\tTopicId: {}", kafka_uuid::encode(topic.id))?;
    }
    let replicas = topic
        .partitions
        .first()
        .map_or(0, |first| first.replicas.len());
    writeln!(
        out,
        "\tPartitionCount: {}\tReplicationFactor: {replicas}\tConfigs: {}",
        topic.partitions.len(),
        configs.join(",")
    )?;
    Ok(())
}

fn print_partition(
    topic: &str,
    partition: &PartitionInfo,
    eligible: Option<(Vec<i32>, Vec<i32>)>,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    let leader = partition
        .leader
        .map_or("none".to_owned(), |node| node.to_string());
    let (eligible, last_known) = match eligible {
        Some((eligible, last_known)) => (joined(&eligible), joined(&last_known)),
        None => ("N/A".to_owned(), "N/A".to_owned()),
    };
    writeln!(
        out,
        "\tTopic: {topic}\tPartition: {}\tLeader: {leader}\tReplicas: {}\tIsr: {}\tElr: {eligible}\tLastKnownElr: {last_known}",
        partition.index,
        joined(&partition.replicas),
        joined(&partition.in_sync)
    )?;
    Ok(())
}

fn joined(nodes: &[i32]) -> String {
    nodes
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(leader: Option<i32>, replicas: &[i32], in_sync: &[i32]) -> PartitionInfo {
        PartitionInfo {
            index: 3,
            leader,
            leader_epoch: 0,
            replicas: replicas.to_vec(),
            in_sync: in_sync.to_vec(),
            offline: Vec::new(),
        }
    }

    #[test]
    fn the_columns_stand_as_in_kafka_4_3() {
        let mut out = Vec::new();
        let sample = partition(Some(1), &[1, 2], &[1]);
        print_partition("t", &sample, Some((vec![], vec![2])), &mut out).unwrap();
        print_partition("t", &partition(None, &[1], &[]), None, &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\tTopic: t\tPartition: 3\tLeader: 1\tReplicas: 1,2\tIsr: 1\tElr: \tLastKnownElr: 2\n\
             \tTopic: t\tPartition: 3\tLeader: none\tReplicas: 1\tIsr: \tElr: N/A\tLastKnownElr: N/A\n"
        );
    }

    #[test]
    fn a_report_has_the_partitions_it_is_named_after() {
        let alive = BTreeMap::from([(1, "h:1".to_owned())]);
        let healthy = partition(Some(1), &[1, 2], &[1, 2]);
        let thin = partition(Some(1), &[1, 2], &[1]);
        let dead = partition(Some(2), &[2], &[2]);
        let headless = partition(None, &[2], &[2]);
        for (report, expected) in [
            ("under-replicated-partitions", [false, true, false, false]),
            ("under-min-isr-partitions", [false, true, true, true]),
            ("at-min-isr-partitions", [true, false, false, false]),
            ("unavailable-partitions", [false, false, true, true]),
        ] {
            let options = Options::parse(super::super::OPTIONS, &[format!("--{report}")]).unwrap();
            let found =
                [&healthy, &thin, &dead, &headless].map(|p| reported(&options, p, 2, &alive));
            assert_eq!(found, expected, "{report}");
        }
    }
}
