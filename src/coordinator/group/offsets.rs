//! The positions of one group: those that are written, and which are being written.

use super::request::CommittedOffset;
use crate::types::TimestampMs;
use std::collections::{BTreeMap, HashMap};

/// A position with its dates.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Position {
    pub committed: CommittedOffset,
    pub commit_timestamp: TimestampMs,
    /// When it ends by the client's wish.
    pub expires: Option<TimestampMs>,
}

/// What is known of one partition. Gone when nothing is written and nothing is under way.
#[derive(Default, Debug)]
struct Entry {
    written: Option<Position>,
    /// Writes under way that set or forget it.
    under_way: u32,
}

/// Positions by topic and partition.
#[derive(Default, Debug)]
pub(super) struct Offsets {
    topics: HashMap<String, BTreeMap<i32, Entry>>,
}

impl Offsets {
    /// Nothing is written, and nothing is under way.
    pub fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }

    /// What is written.
    pub fn get(&self, topic: &str, partition: i32) -> Option<&Position> {
        self.topics.get(topic)?.get(&partition)?.written.as_ref()
    }

    /// Something is written or under way.
    pub fn knows(&self, topic: &str, partition: i32) -> bool {
        self.topics
            .get(topic)
            .is_some_and(|partitions| partitions.contains_key(&partition))
    }

    /// Everything that is written.
    pub fn written(&self) -> impl Iterator<Item = (&str, i32, &Position)> {
        self.entries().filter_map(|(topic, partition, entry)| {
            Some((topic, partition, entry.written.as_ref()?))
        })
    }

    /// Partitions of which something is written or under way.
    pub fn known(&self) -> impl Iterator<Item = (&str, i32)> {
        self.entries()
            .map(|(topic, partition, _)| (topic, partition))
    }

    /// The same in one topic.
    pub fn known_in<'a>(&'a self, topic: &'a str) -> impl Iterator<Item = (&'a str, i32)> {
        let partitions = self.topics.get(topic).into_iter();
        partitions.flat_map(move |partitions| partitions.keys().map(move |&p| (topic, p)))
    }

    /// A write that sets or forgets it is under way: it does not expire meanwhile.
    pub fn is_changing(&self, topic: &str, partition: i32) -> bool {
        let entry = self.topics.get(topic).and_then(|p| p.get(&partition));
        entry.is_some_and(|entry| entry.under_way > 0)
    }

    fn entries(&self) -> impl Iterator<Item = (&str, i32, &Entry)> {
        self.topics.iter().flat_map(|(topic, partitions)| {
            let topic = topic.as_str();
            partitions.iter().map(move |(&p, entry)| (topic, p, entry))
        })
    }

    /// A write that sets or forgets it has begun.
    pub fn stage(&mut self, topic: &str, partition: i32) {
        self.entry(topic, partition).under_way += 1;
    }

    /// That write is done.
    pub fn settle(&mut self, topic: &str, partition: i32, position: Option<Position>) {
        let entry = self.entry(topic, partition);
        entry.under_way = entry.under_way.saturating_sub(1);
        entry.written = position;
        self.tidy(topic, partition);
    }

    /// That write failed: everything is as before it.
    pub fn abandon(&mut self, topic: &str, partition: i32) {
        let entry = self.entry(topic, partition);
        entry.under_way = entry.under_way.saturating_sub(1);
        self.tidy(topic, partition);
    }

    /// What the log says.
    pub fn load(&mut self, topic: &str, partition: i32, position: Option<Position>) {
        self.entry(topic, partition).written = position;
        self.tidy(topic, partition);
    }

    fn entry(&mut self, topic: &str, partition: i32) -> &mut Entry {
        if !self.topics.contains_key(topic) {
            self.topics.insert(topic.to_owned(), BTreeMap::new());
        }
        let partitions = self.topics.get_mut(topic);
        let partitions = partitions.unwrap_or_else(|| unreachable!("it was just put there"));
        partitions.entry(partition).or_default()
    }

    fn tidy(&mut self, topic: &str, partition: i32) {
        let Some(partitions) = self.topics.get_mut(topic) else {
            return;
        };
        let spent = |entry: &Entry| entry.written.is_none() && entry.under_way == 0;
        if partitions.get(&partition).is_some_and(spent) {
            partitions.remove(&partition);
        }
        if partitions.is_empty() {
            self.topics.remove(topic);
        }
    }
}
