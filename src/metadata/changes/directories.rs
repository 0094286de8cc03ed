//! Which data directory of a broker a new partition is to lie in: the one with the fewest, as Kafka chooses.

use std::collections::HashMap;

use uuid::Uuid;

use crate::metadata::Image;

/// How many partitions lie in each directory, those just placed included.
pub(super) struct Directories<'a> {
    pub(super) image: &'a Image,
    /// Counted when it is first needed: with one directory nothing has to be counted.
    counts: Option<HashMap<Uuid, usize>>,
}

impl<'a> Directories<'a> {
    pub(super) fn of(image: &'a Image) -> Directories<'a> {
        Directories {
            image,
            counts: None,
        }
    }

    /// Where the next partition on `broker` goes; nil (Kafka's `UNASSIGNED`) leaves the choice to the broker.
    pub(super) fn next(&mut self, broker: i32) -> Uuid {
        let Some(broker) = self.image.broker(broker) else {
            return Uuid::nil();
        };
        let is_open = |dir: &&Uuid| !broker.cordoned_log_dirs.contains(dir);
        match broker.log_dirs.as_slice() {
            [] => Uuid::nil(),
            [only] => *only,
            several => {
                let counts = self.counts.get_or_insert_with(|| counted(self.image));
                let count = |dir: &&Uuid| counts.get(dir).copied().unwrap_or(0);
                let emptiest = several.iter().filter(is_open).min_by_key(count);
                let emptiest = emptiest.copied().unwrap_or_default();
                *counts.entry(emptiest).or_default() += 1;
                emptiest
            }
        }
    }
}

fn counted(image: &Image) -> HashMap<Uuid, usize> {
    let mut counts = HashMap::new();
    for partition in image.topics().flat_map(|topic| topic.partitions.values()) {
        for dir in &partition.directories {
            *counts.entry(*dir).or_default() += 1;
        }
    }
    counts
}
