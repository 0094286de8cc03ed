//! `--describe`: what a group has read of each partition, who is in it, and how it is.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::super::CommandError;
use super::super::options::Options;
use super::{groups, proper_name};
use crate::client::group_admin::{
    CommittedOffset, TopicPartition, committed_offsets, coordinator, describe_group,
};
use crate::client::{Cluster, OffsetQuery, list_offsets};
use crate::wire::messages::describe_groups::{DescribedGroup, DescribedGroupMember};

/// Where there is nothing to show.
const NOTHING: &str = "-";
const STATES: &[&str] = super::STATES;

/// Describes the groups, one table for each.
///
/// # Errors
/// When a group is not there, or its coordinator refuses.
pub fn run(
    options: &Options,
    cluster: &mut Cluster,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    let verbose = options.has("verbose");
    let mut described = Vec::new();
    for group in groups(options, cluster)? {
        described.push(describe_group(cluster, &group)?);
    }
    for group in described {
        if options.has("members") {
            print_members(&group, verbose, out)?;
        } else if options.has("state") {
            print_state(&group, cluster, verbose, out)?;
        } else {
            print_offsets(&group, cluster, verbose, out)?;
        }
    }
    Ok(())
}

/// What Kafka says of a group that is not simply stable; whether there is a table to print.
fn announce(group: &DescribedGroup, rows: usize, out: &mut dyn Write) -> io::Result<bool> {
    let name = &group.group_id;
    match &*group.group_state {
        "Dead" => {
            super::print_error(out, &format!("Consumer group '{name}' does not exist."))?;
            return Ok(false);
        }
        "Empty" => eprintln!("\nConsumer group '{name}' has no active members."),
        "PreparingRebalance" | "CompletingRebalance" | "Assigning" | "Reconciling" => {
            eprintln!("\nWarning: Consumer group '{name}' is rebalancing.");
        }
        _ => {}
    }
    Ok(rows > 0)
}

/// A line of the table of offsets, as it is printed.
#[derive(Debug, Default)]
struct OffsetRow {
    topic: String,
    partition: i32,
    committed: Option<CommittedOffset>,
    end: Option<i64>,
    consumer_id: String,
    host: String,
    client_id: String,
}

fn print_offsets(
    group: &DescribedGroup,
    cluster: &mut Cluster,
    verbose: bool,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    let committed = committed_offsets(cluster, &group.group_id)?;
    let mut rows = rows_of(group, &committed);
    let ends = end_offsets(cluster, &rows);
    for row in &mut rows {
        row.end = ends.get(&(row.topic.clone(), row.partition)).copied();
    }
    if announce(group, rows.len(), out)? {
        write_offsets(&group.group_id, &rows, verbose, out)?;
    }
    Ok(())
}

/// The partitions of each member, the one with the most first, and then what is committed and nobody reads.
fn rows_of(
    group: &DescribedGroup,
    committed: &BTreeMap<TopicPartition, CommittedOffset>,
) -> Vec<OffsetRow> {
    let mut members: Vec<(&DescribedGroupMember, Vec<TopicPartition>)> = group
        .members
        .iter()
        .map(|member| (member, assignment(&member.member_assignment)))
        .collect();
    members.sort_by_key(|(_, partitions)| std::cmp::Reverse(partitions.len()));
    let mut rows = Vec::new();
    let mut left = committed.clone();
    for (member, partitions) in members {
        for of in partitions {
            left.remove(&of);
            rows.push(OffsetRow {
                committed: committed.get(&of).copied(),
                topic: of.0,
                partition: of.1,
                end: None,
                consumer_id: member.member_id.to_string(),
                host: member.client_host.to_string(),
                client_id: member.client_id.to_string(),
            });
        }
    }
    let nobody = left
        .into_iter()
        .map(|((topic, partition), committed)| OffsetRow {
            topic,
            partition,
            committed: Some(committed),
            consumer_id: NOTHING.to_owned(),
            host: NOTHING.to_owned(),
            client_id: NOTHING.to_owned(),
            end: None,
        });
    rows.extend(nobody);
    rows
}

/// Where the partitions end; those that are gone, or have no leader, are left out.
fn end_offsets(cluster: &mut Cluster, rows: &[OffsetRow]) -> BTreeMap<TopicPartition, i64> {
    let mut by_topic: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for row in rows {
        by_topic.entry(&row.topic).or_default().push(row.partition);
    }
    let mut ends = BTreeMap::new();
    for (topic, mut partitions) in by_topic {
        let Ok(info) = cluster.topic(topic, false) else {
            continue;
        };
        partitions.retain(|index| info.partitions.iter().any(|known| known.index == *index));
        let found = list_offsets(cluster, &info, &partitions, OffsetQuery::Latest, false);
        for (partition, end) in found.unwrap_or_default() {
            ends.insert((topic.to_owned(), partition), end);
        }
    }
    ends
}

fn width<'a>(least: usize, texts: impl Iterator<Item = &'a str>) -> usize {
    texts
        .map(|text| text.chars().count())
        .fold(least, usize::max)
}

fn write_offsets(
    group: &str,
    rows: &[OffsetRow],
    verbose: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (g, t) = (
        width(15, [group].into_iter()),
        width(15, rows.iter().map(|row| &*row.topic)),
    );
    let (c, h) = (
        width(15, rows.iter().map(|row| &*row.consumer_id)),
        width(15, rows.iter().map(|row| &*row.host)),
    );
    let mut line = |cells: [&str; 10]| {
        let [
            group,
            topic,
            partition,
            epoch,
            offset,
            end,
            lag,
            consumer,
            host,
            client,
        ] = cells;
        write!(out, "\n{group:<g$} {topic:<t$} {partition:<10} ")?;
        if verbose {
            write!(out, "{epoch:<15} ")?;
        }
        write!(
            out,
            "{offset:<15} {end:<15} {lag:<15} {consumer:<c$} {host:<h$} {client}"
        )
    };
    line([
        "GROUP",
        "TOPIC",
        "PARTITION",
        "LEADER-EPOCH",
        "CURRENT-OFFSET",
        "LOG-END-OFFSET",
        "LAG",
        "CONSUMER-ID",
        "HOST",
        "CLIENT-ID",
    ])?;
    let text = |number: Option<i64>| number.map_or(NOTHING.to_owned(), |n| n.to_string());
    for row in rows {
        let offset = row.committed.map(|committed| committed.offset);
        let epoch = row
            .committed
            .map(|committed| i64::from(committed.leader_epoch));
        let lag = row.end.and_then(|end| Some(end - offset?));
        line([
            group,
            &row.topic,
            &row.partition.to_string(),
            &text(epoch.filter(|epoch| *epoch >= 0)),
            &text(offset),
            &text(row.end),
            &text(lag),
            &row.consumer_id,
            &row.host,
            &row.client_id,
        ])?;
    }
    writeln!(out)
}

fn print_members(group: &DescribedGroup, verbose: bool, out: &mut dyn Write) -> io::Result<()> {
    announce(group, group.members.len(), out)?;
    let members = &group.members;
    let instance = |member: &DescribedGroupMember| {
        member
            .group_instance_id
            .as_deref()
            .unwrap_or_default()
            .to_owned()
    };
    let with_instance = members.iter().any(|member| !instance(member).is_empty());
    let g = width(15, [&*group.group_id].into_iter());
    let c = width(15, members.iter().map(|member| &*member.member_id));
    let i = width(
        17,
        members
            .iter()
            .map(|member| member.group_instance_id.as_deref().unwrap_or_default()),
    );
    let h = width(15, members.iter().map(|member| &*member.client_host));
    let l = width(15, members.iter().map(|member| &*member.client_id));
    let assigned: Vec<_> = members
        .iter()
        .map(|member| assignment(&member.member_assignment))
        .collect();
    let shown: Vec<String> = assigned
        .iter()
        .map(|partitions| by_topic(partitions))
        .collect();
    let a = width(20, shown.iter().map(String::as_str));
    writeln!(out)?;
    let mut line = |cells: [&str; 7]| {
        let [group, consumer, instance, host, client, count, assignment] = cells;
        write!(out, "{group:<g$} {consumer:<c$} ")?;
        if with_instance {
            write!(out, "{instance:<i$} ")?;
        }
        write!(out, "{host:<h$} {client:<l$} {count:<15} ")?;
        if verbose {
            write_assignment(assignment, a, out)?;
        }
        writeln!(out)
    };
    line([
        "GROUP",
        "CONSUMER-ID",
        "GROUP-INSTANCE-ID",
        "HOST",
        "CLIENT-ID",
        "#PARTITIONS",
        "CURRENT-ASSIGNMENT",
    ])?;
    for ((member, partitions), shown) in members.iter().zip(&assigned).zip(&shown) {
        line([
            &group.group_id,
            &member.member_id,
            &instance(member),
            &member.client_host,
            &member.client_id,
            &partitions.len().to_string(),
            shown,
        ])?;
    }
    Ok(())
}

/// The last columns of `--members --verbose`; only groups of the newer protocol have epochs and a target.
fn write_assignment(current: &str, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let (epoch, target_epoch, target) = match current {
        "CURRENT-ASSIGNMENT" => ("CURRENT-EPOCH", "TARGET-EPOCH", "TARGET-ASSIGNMENT"),
        _ => (NOTHING, NOTHING, NOTHING),
    };
    write!(
        out,
        "{epoch:<15} {current:<width$} {target_epoch:<15} {target:<20}"
    )
}

fn print_state(
    group: &DescribedGroup,
    cluster: &mut Cluster,
    verbose: bool,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    if !announce(group, 1, out)? {
        return Ok(());
    }
    let found = coordinator(cluster, &group.group_id)?;
    let coordinator = format!("{}:{}  ({})", found.host, found.port, found.node_id);
    let strategy = match &*group.protocol_data {
        "" => NOTHING,
        strategy => strategy,
    };
    let (g, c) = (
        width(15, [&*group.group_id].into_iter()),
        width(25, [coordinator.as_str()].into_iter()),
    );
    let mut line = |cells: [&str; 5], epochs: [&str; 2]| {
        let [group, coordinator, strategy, state, members] = cells;
        write!(
            out,
            "\n{group:<g$} {coordinator:<c$} {strategy:<20} {state:<20} "
        )?;
        if verbose {
            write!(out, "{:<15} {:<25} ", epochs[0], epochs[1])?;
        }
        write!(out, "{members}")
    };
    line(
        [
            "GROUP",
            "COORDINATOR (ID)",
            "ASSIGNMENT-STRATEGY",
            "STATE",
            "#MEMBERS",
        ],
        ["GROUP-EPOCH", "TARGET-ASSIGNMENT-EPOCH"],
    )?;
    let state = proper_name(&group.group_state, STATES);
    let members = group.members.len().to_string();
    line(
        [&group.group_id, &coordinator, strategy, &state, &members],
        [NOTHING; 2],
    )?;
    writeln!(out)?;
    Ok(())
}

/// `orders:0,1,2;other:0`.
fn by_topic(partitions: &[TopicPartition]) -> String {
    let mut topics: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (topic, partition) in partitions {
        topics.entry(topic).or_default().push(partition.to_string());
    }
    if topics.is_empty() {
        return NOTHING.to_owned();
    }
    let topic = |(name, list): (&str, Vec<String>)| format!("{name}:{}", list.join(","));
    topics.into_iter().map(topic).collect::<Vec<_>>().join(";")
}

/// The partitions in a consumer's assignment (`ConsumerProtocolAssignment`), in order; what is cut off has none.
///
/// ```text
/// i16 version | i32 topics | each: i16 length, name | i32 partitions | each: i32 ... | user data
/// ```
fn assignment(bytes: &[u8]) -> Vec<TopicPartition> {
    let mut partitions = read_assignment(bytes).unwrap_or_default();
    partitions.sort();
    partitions
}

fn read_assignment(mut bytes: &[u8]) -> Option<Vec<TopicPartition>> {
    let mut take = |count: usize| -> Option<&[u8]> {
        let (taken, rest) = bytes.split_at_checked(count)?;
        bytes = rest;
        Some(taken)
    };
    take(2)?;
    let mut partitions = Vec::new();
    for _ in 0..be_i32(take(4)?) {
        let length = take(2)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        let name = String::from_utf8_lossy(take(length)?).into_owned();
        for _ in 0..be_i32(take(4)?) {
            partitions.push((name.clone(), be_i32(take(4)?)));
        }
    }
    Some(partitions)
}

fn be_i32(bytes: &[u8]) -> i32 {
    i32::from_be_bytes(bytes.try_into().expect("four bytes"))
}

#[cfg(test)]
mod tests;
