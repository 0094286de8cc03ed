//! Who of a group gets which partition: Kafka's `RangeAssignor` and `RoundRobinAssignor`. Pure.

use std::collections::BTreeMap;

use super::protocol::TopicPartitions;

/// A member as the leader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscriber {
    /// Its id.
    pub member_id: String,
    /// Its own name, of a static member.
    pub instance_id: Option<String>,
    /// What it subscribes to.
    pub topics: Vec<String>,
}

/// A way to share out partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assignor {
    /// Topic by topic, neighbouring partitions together.
    Range,
    /// All partitions in turn.
    RoundRobin,
}

impl Assignor {
    /// All, the favourite first.
    pub const ALL: [Assignor; 2] = [Assignor::Range, Assignor::RoundRobin];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Assignor::Range => "range",
            Assignor::RoundRobin => "roundrobin",
        }
    }

    /// Shares out the partitions of the topics (so many each) among the subscribers; each of these has an entry in the result.
    pub fn assign(
        self,
        partitions: &BTreeMap<String, i32>,
        subscribers: &[Subscriber],
    ) -> BTreeMap<String, TopicPartitions> {
        let mut shares: BTreeMap<String, TopicPartitions> = subscribers
            .iter()
            .map(|subscriber| (subscriber.member_id.clone(), TopicPartitions::new()))
            .collect();
        let mut sorted: Vec<&Subscriber> = subscribers.iter().collect();
        // Static members first, by the names that stay; then by id.
        sorted.sort_by_key(|subscriber| {
            let key = subscriber
                .instance_id
                .as_ref()
                .unwrap_or(&subscriber.member_id);
            (subscriber.instance_id.is_none(), key.clone())
        });
        let mut give = |to: &Subscriber, topic: &str, partition: i32| {
            let share = shares.entry(to.member_id.clone()).or_default();
            share.entry(topic.to_owned()).or_default().push(partition);
        };
        match self {
            Assignor::Range => range(partitions, &sorted, &mut give),
            Assignor::RoundRobin => round_robin(partitions, &sorted, &mut give),
        }
        shares
    }
}

fn range(
    partitions: &BTreeMap<String, i32>,
    sorted: &[&Subscriber],
    give: &mut impl FnMut(&Subscriber, &str, i32),
) {
    for (topic, &count) in partitions {
        let takers: Vec<_> = sorted.iter().filter(|s| s.topics.contains(topic)).collect();
        let Ok(many) = i32::try_from(takers.len()) else {
            continue;
        };
        if many == 0 {
            continue;
        }
        let (each, more) = (count / many, count % many);
        let mut next = 0;
        for (taker, at) in takers.into_iter().zip(0..) {
            let end = next + each + i32::from(at < more);
            (next..end).for_each(|partition| give(taker, topic, partition));
            next = end;
        }
    }
}

fn round_robin(
    partitions: &BTreeMap<String, i32>,
    sorted: &[&Subscriber],
    give: &mut impl FnMut(&Subscriber, &str, i32),
) {
    let mut turn = sorted.iter().cycle();
    for (topic, &count) in partitions {
        if !sorted
            .iter()
            .any(|subscriber| subscriber.topics.contains(topic))
        {
            continue;
        }
        for partition in 0..count {
            if let Some(taker) = turn.find(|subscriber| subscriber.topics.contains(topic)) {
                give(taker, topic, partition);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscriber(id: &str, topics: &[&str]) -> Subscriber {
        Subscriber {
            member_id: id.to_owned(),
            instance_id: None,
            topics: topics.iter().map(|&topic| topic.to_owned()).collect(),
        }
    }

    fn partitions(counts: &[(&str, i32)]) -> BTreeMap<String, i32> {
        counts
            .iter()
            .map(|&(topic, count)| (topic.to_owned(), count))
            .collect()
    }

    fn share(shares: &BTreeMap<String, TopicPartitions>, id: &str) -> Vec<(String, Vec<i32>)> {
        shares[id].clone().into_iter().collect()
    }

    #[test]
    fn ranges_are_neighbours_and_the_first_members_get_what_is_left_over() {
        let members = [
            subscriber("b", &["t", "u"]),
            subscriber("a", &["t"]),
            subscriber("c", &["t"]),
        ];
        let shares = Assignor::Range.assign(&partitions(&[("t", 5), ("u", 2)]), &members);
        assert_eq!(share(&shares, "a"), [("t".to_owned(), vec![0, 1])]);
        assert_eq!(
            share(&shares, "b"),
            [("t".to_owned(), vec![2, 3]), ("u".to_owned(), vec![0, 1])]
        );
        assert_eq!(share(&shares, "c"), [("t".to_owned(), vec![4])]);
    }

    #[test]
    fn in_turn_goes_over_the_end_of_a_topic_and_past_who_does_not_subscribe() {
        let members = [
            subscriber("a", &["t", "u"]),
            subscriber("b", &["t", "u"]),
            subscriber("c", &["u"]),
        ];
        let shares = Assignor::RoundRobin.assign(&partitions(&[("t", 3), ("u", 3)]), &members);
        assert_eq!(
            share(&shares, "a"),
            [("t".to_owned(), vec![0, 2]), ("u".to_owned(), vec![2])]
        );
        assert_eq!(
            share(&shares, "b"),
            [("t".to_owned(), vec![1]), ("u".to_owned(), vec![0])]
        );
        assert_eq!(share(&shares, "c"), [("u".to_owned(), vec![1])]);
    }

    #[test]
    fn every_partition_has_one_owner_and_static_members_come_first() {
        for assignor in Assignor::ALL {
            let mut members: Vec<_> = (0..7)
                .map(|i| subscriber(&format!("m{i}"), &["t"]))
                .collect();
            members[6].instance_id = Some("z".to_owned());
            let shares = assignor.assign(&partitions(&[("t", 3), ("other", 2)]), &members);
            let mut owned: Vec<i32> = shares
                .values()
                .flat_map(|s| s.values().flatten().copied())
                .collect();
            owned.sort_unstable();
            assert_eq!(owned, [0, 1, 2], "{assignor:?}");
            assert_eq!(shares["m6"]["t"], [0], "{assignor:?}");
            assert_eq!(shares.len(), 7);
        }
        assert!(
            Assignor::Range
                .assign(&partitions(&[("t", 3)]), &[])
                .is_empty()
        );
    }
}
