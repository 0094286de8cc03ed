//! Each partition's folder, against what the metadata says of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::report::Report;
use super::top_files::TopFiles;
use super::{CheckOptions, Place, partition_of};
use crate::log::check::{Expected, Facts, Finding, Listener, Repair, check_partition};
use crate::log::{LogError, is_leftover, partition_dir_name};
use crate::metadata::meta_properties::StoredMetaProperties;
use crate::metadata::topic_name::CLUSTER_METADATA_TOPIC;
use crate::metadata::{Image, Partition, Topic};
use crate::types::Offset;

/// Directory ids that name no directory: unassigned, lost, migrating (Kafka's `DirectoryId`).
const RESERVED_DIRECTORY_IDS: u128 = 100;

/// Where logs end, by topic and partition.
pub(super) type Ends = BTreeMap<(String, i32), Offset>;

/// Looks at every partition's folder of a directory but the metadata's.
pub(super) fn look(
    options: &CheckOptions,
    folders: &[PathBuf],
    top: &TopFiles,
    image: Option<&Image>,
    report: &mut Report<'_>,
) -> Ends {
    let mut ends = Ends::new();
    for folder in folders {
        let Some((topic, partition)) = partition_of(folder) else {
            continue;
        };
        if topic == CLUSTER_METADATA_TOPIC {
            continue;
        }
        let known = image.and_then(|image| image.topic_by_name(topic));
        let known = known.filter(|known| known.partitions.contains_key(&partition));
        if image.is_some() && known.is_none() {
            let what = "is a partition's folder, but the metadata has no such partition";
            let then = "a start leaves it alone; move it away if its records are not wanted";
            report.wrong(Finding::new(folder, what, then));
        }
        let expected = Expected {
            topic_id: known.map(|known| known.id),
            compacted: image.is_none_or(|image| compacted(image, known.map(|topic| &**topic)))
                || top.was_compacted(topic, partition),
            clean: top.clean,
            recovery_point: top.recovery_point(topic, partition),
            metadata: false,
            batches: options.records,
        };
        end_leftovers(folder, report);
        if let Some(facts) = look_at(folder, &expected, report) {
            report.partition(&facts);
            ends.insert((topic.to_owned(), partition), facts.end);
        }
        report.put_right();
    }
    ends
}

/// What a stop interrupted is ended before a repair looks at the rest, as a start does.
pub(super) fn end_leftovers(folder: &Path, report: &mut Report<'_>) {
    if report.repairs() && has_leftovers(folder) {
        // Told and counted by what is done: the rest is then looked at as a start would find it.
        let what = "has files that a stop left behind";
        let finding = Finding::new(folder, what, "a start ends or removes what they are of");
        let finding = finding.harmless();
        report.wrong(finding.repaired_by(Repair::Leftovers(folder.to_owned())));
        report.put_right();
    }
}

fn has_leftovers(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return false;
    };
    entries
        .flatten()
        .any(|entry| is_leftover(&entry.file_name()))
}

/// Looks at one folder; what cannot be read is told as wrong.
pub(super) fn look_at(
    folder: &Path,
    expected: &Expected,
    listener: &mut dyn Listener,
) -> Option<Facts> {
    match check_partition(folder, expected, listener) {
        Ok(facts) => Some(facts),
        Err(error) => {
            let finding = match &error {
                LogError::Storage {
                    operation,
                    path,
                    source,
                } => Finding::new(path, format!("cannot {operation} it: {source}"), UNREADABLE),
                other => Finding::new(folder, other.to_string(), UNREADABLE),
            };
            listener.found(finding);
            None
        }
    }
}

const UNREADABLE: &str = "a start leaves the partition offline; give the broker's user the right to read and write it, or \
                          restore it from a copy";

/// Whether records may have gone from the middle of a topic.
fn compacted(image: &Image, topic: Option<&Topic>) -> bool {
    let policy = topic.and_then(|topic| topic.configs.get("cleanup.policy"));
    let has_compact = |policy: &String| policy.contains("compact");
    match policy {
        Some(policy) => has_compact(policy),
        None => image
            .brokers()
            .map(|broker| image.dynamic_configs(broker.id))
            .any(|configs| {
                let of = |configs: &crate::config::topic::Configs| {
                    configs.get("log.cleanup.policy").is_some_and(has_compact)
                };
                of(&configs.broker) || of(&configs.cluster)
            }),
    }
}

/// Tells of partitions that are in two directories.
pub(super) fn tell_doubles(places: &[Place], report: &mut Report<'_>) {
    let mut first = BTreeMap::new();
    for folder in places.iter().flat_map(|place| &place.folders) {
        let Some(partition) = partition_of(folder) else {
            continue;
        };
        if let Some(other) = first.insert(partition, folder) {
            let what = format!("is in {} too", other.display());
            let then = "a start refuses a partition in two directories: move one of them away";
            report.wrong(Finding::new(folder, what, then));
        }
    }
}

/// Tells of partitions that should be in one of the directories and are in none.
pub(super) fn missing(image: &Image, places: &[Place], tops: &[TopFiles], report: &mut Report<'_>) {
    let folders = places.iter().flat_map(|place| &place.folders);
    let mut seen: BTreeSet<_> = folders.filter_map(|folder| partition_of(folder)).collect();
    for (place, top) in places.iter().zip(tops) {
        let Some(owner) = &top.owner else { continue };
        for topic in image.topics() {
            for (&partition, state) in &topic.partitions {
                if !belongs(state, owner) || !seen.insert((&*topic.name, partition)) {
                    continue;
                }
                let path = place.dir.join(partition_dir_name(&topic.name, partition));
                let then = "a start begins the partition empty: restore the folder from a copy, unless it never held a record";
                report.wrong(Finding::new(&path, "is missing", then));
            }
        }
    }
}

/// Whether the metadata has a replica in the directory of `owner`, or does not say in which it is.
fn belongs(state: &Partition, owner: &StoredMetaProperties) -> bool {
    let mut replicas = state.replicas.iter();
    let Some(replica) = replicas.position(|node| Some(*node) == owner.node_id) else {
        return false;
    };
    let directory = state.directories.get(replica);
    directory
        .is_none_or(|id| id.as_u128() < RESERVED_DIRECTORY_IDS || Some(*id) == owner.directory_id)
}
