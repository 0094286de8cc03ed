//! Where the console consumer's records come from: partitions of its own choice, or its share of a group.

use std::collections::BTreeMap;

use regex_lite::Regex;

use super::arguments::{Arguments, Start, Topics};
use crate::client::group::{GroupConsumer, OffsetReset};
use crate::client::{
    ClientError, Cluster, Consumer, FetchedPartition, OffsetQuery, TopicInfo, list_offsets,
};

/// A reader of topics.
pub enum Source<'a> {
    /// Each topic with its reader.
    Assigned(Vec<(String, Consumer)>, OffsetReset),
    /// A member of a group.
    Group(Box<GroupConsumer<'a>>),
}

impl<'a> Source<'a> {
    /// Reaches the cluster and finds where to begin.
    ///
    /// # Errors
    /// When it cannot be reached, or what is asked for is not there.
    pub fn open(arguments: &'a Arguments) -> Result<Source<'a>, ClientError> {
        let mut cluster = arguments.connect()?;
        let names = match &arguments.topics {
            Topics::One(name) => vec![name.clone()],
            Topics::Matching(regex) => matching(regex, &mut cluster)?,
        };
        if let Some(group) = &arguments.group {
            for name in &names {
                // The leader shares out what is there.
                cluster.topic(name, true)?;
            }
            let connect = Box::new(move || arguments.connect());
            let mut member = GroupConsumer::new(connect, names, group.clone())?;
            if let Topics::Matching(regex) = &arguments.topics {
                member = member.following(Box::new(move |cluster| matching(regex, cluster)));
            }
            return Ok(Source::Group(Box::new(member)));
        }
        if names.len() > crate::client::group::TOPICS_MAX {
            return Err(ClientError::Broker {
                what: format!("{} topics at once", names.len()),
                code: crate::wire::ErrorCode::INVALID_REQUEST,
                message: Some(format!(
                    "{} topics are meant, {} can be read at once",
                    names.len(),
                    crate::client::group::TOPICS_MAX
                )),
            });
        }
        let mut readers = Vec::with_capacity(names.len());
        let waits = i32::try_from(names.len().max(1)).unwrap_or(i32::MAX);
        for name in names {
            let mut cluster = arguments.connect()?;
            let topic = cluster.topic(&name, true)?;
            let positions = positions(arguments, &mut cluster, &topic)?;
            let mut fetch = arguments.fetch.clone();
            // The topics are asked one after the other: their waits add up.
            fetch.max_wait_ms = (fetch.max_wait_ms / waits).max(10);
            readers.push((name, Consumer::new(cluster, &topic, positions, fetch)));
        }
        Ok(Source::Assigned(readers, arguments.reset))
    }

    /// The next batches, with their topics.
    ///
    /// # Errors
    /// What does not pass.
    pub fn poll(&mut self) -> Result<Vec<(String, FetchedPartition)>, ClientError> {
        match self {
            Source::Group(member) => member.poll(),
            Source::Assigned(readers, reset) => {
                let mut fetched = Vec::new();
                if readers.is_empty() {
                    // No topic is meant, and none that comes later would be: wait for --timeout-ms, or an interrupt.
                    std::thread::sleep(std::time::Duration::from_millis(100));
                }
                for (topic, reader) in readers {
                    match reader.poll() {
                        Ok(found) => {
                            fetched.extend(found.into_iter().map(|data| (topic.clone(), data)))
                        }
                        Err(error) => reader.reset_out_of_range(error, *reset)?,
                    }
                }
                Ok(fetched)
            }
        }
    }

    /// Tells what is printed: a group commits it.
    pub fn consumed(&mut self, topic: &str, partition: i32, next: i64) {
        if let Source::Group(member) = self {
            member.consumed(topic, partition, next);
        }
    }

    /// Leaves the group, if there is one.
    ///
    /// # Errors
    /// When the last commit, or leaving, is refused.
    pub fn close(self) -> Result<(), ClientError> {
        match self {
            Source::Group(member) => member.leave(),
            Source::Assigned(..) => Ok(()),
        }
    }
}

/// The topics that `--include` means now, in the order of their names.
fn matching(regex: &Regex, cluster: &mut Cluster) -> Result<Vec<String>, ClientError> {
    let all = cluster.all_topics()?.into_iter();
    let meant = all.filter(|topic| !topic.internal && regex.is_match(&topic.name));
    Ok(meant.map(|topic| topic.name).collect())
}

fn positions(
    arguments: &Arguments,
    cluster: &mut Cluster,
    topic: &TopicInfo,
) -> Result<BTreeMap<i32, i64>, ClientError> {
    let partitions: Vec<i32> = match arguments.partition {
        Some(partition) => {
            cluster.leader(&topic.name, partition)?;
            vec![partition]
        }
        None => topic
            .partitions
            .iter()
            .map(|partition| partition.index)
            .collect(),
    };
    let query = match arguments.start {
        Start::At(offset) => return Ok(partitions.into_iter().map(|p| (p, offset)).collect()),
        Start::Beginning => OffsetQuery::Earliest,
        Start::End => OffsetQuery::Latest,
    };
    list_offsets(
        cluster,
        topic,
        &partitions,
        query,
        arguments.fetch.read_committed,
    )
}
