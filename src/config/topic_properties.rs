//! Every topic property of Kafka 4.3 (`TopicConfig`, `LogConfig`), and which broker properties stand behind each.
//!
//! Leaf: a table. Effective values are worked out in [`topic`](super::topic).

use super::property::Kind::*;
use super::property::Status::*;
use super::property::{ANY, Property, at_least, properties, within};

/// A topic property and where its value comes from when the topic does not set it.
#[derive(Clone, Copy, Debug)]
pub struct TopicProperty {
    /// Name, kind, default, meaning.
    pub property: &'static Property,
    /// Broker properties that give its default; the first one that is set decides.
    pub synonyms: &'static [Synonym],
}

/// A broker property that gives a topic property's default.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Synonym {
    /// The broker property's name.
    pub broker: &'static str,
    /// The topic's value is the broker's times this: hours to milliseconds and the like.
    pub scale: i64,
}

/// The topic property called `name`.
pub fn topic_property(name: &str) -> Option<TopicProperty> {
    let index = TOPIC_PROPERTIES
        .binary_search_by(|property| property.name.cmp(name))
        .ok()?;
    Some(with_synonyms(&TOPIC_PROPERTIES[index]))
}

/// Every topic property, by name.
pub fn topic_properties() -> impl Iterator<Item = TopicProperty> {
    TOPIC_PROPERTIES.iter().map(with_synonyms)
}

/// The topic property whose default the broker property `broker` gives.
pub fn topic_override(broker: &str) -> Option<&'static str> {
    topic_properties()
        .find(|topic| {
            topic
                .synonyms
                .iter()
                .any(|synonym| synonym.broker == broker)
        })
        .map(|topic| topic.property.name)
}

/// The broker property `broker` and those that stand in for it, in their order; nothing when no topic property inherits it.
pub fn synonyms_from(broker: &str) -> &'static [Synonym] {
    SYNONYMS
        .iter()
        .find_map(|(_, synonyms)| {
            let at = synonyms
                .iter()
                .position(|synonym| synonym.broker == broker)?;
            Some(&synonyms[at..])
        })
        .unwrap_or_default()
}

fn with_synonyms(property: &'static Property) -> TopicProperty {
    let synonyms = SYNONYMS
        .iter()
        .find(|(topic, _)| *topic == property.name)
        .map_or(&[][..], |(_, synonyms)| synonyms);
    TopicProperty { property, synonyms }
}

const fn same(broker: &'static str) -> Synonym {
    Synonym { broker, scale: 1 }
}

const fn scaled(broker: &'static str, scale: i64) -> Synonym {
    Synonym { broker, scale }
}

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;

/// Broker properties behind each topic property, in Kafka's order of precedence (`ServerTopicConfigSynonyms`).
static SYNONYMS: &[(&str, &[Synonym])] = &[
    ("cleanup.policy", &[same("log.cleanup.policy")]),
    ("compression.gzip.level", &[same("compression.gzip.level")]),
    ("compression.lz4.level", &[same("compression.lz4.level")]),
    ("compression.type", &[same("compression.type")]),
    ("compression.zstd.level", &[same("compression.zstd.level")]),
    (
        "delete.retention.ms",
        &[same("log.cleaner.delete.retention.ms")],
    ),
    (
        "file.delete.delay.ms",
        &[same("log.segment.delete.delay.ms")],
    ),
    ("flush.messages", &[same("log.flush.interval.messages")]),
    (
        "flush.ms",
        &[
            same("log.flush.interval.ms"),
            same("log.flush.scheduler.interval.ms"),
        ],
    ),
    ("index.interval.bytes", &[same("log.index.interval.bytes")]),
    (
        "local.retention.bytes",
        &[same("log.local.retention.bytes")],
    ),
    ("local.retention.ms", &[same("log.local.retention.ms")]),
    (
        "max.compaction.lag.ms",
        &[same("log.cleaner.max.compaction.lag.ms")],
    ),
    ("max.message.bytes", &[same("message.max.bytes")]),
    (
        "message.timestamp.after.max.ms",
        &[same("log.message.timestamp.after.max.ms")],
    ),
    (
        "message.timestamp.before.max.ms",
        &[same("log.message.timestamp.before.max.ms")],
    ),
    (
        "message.timestamp.type",
        &[same("log.message.timestamp.type")],
    ),
    (
        "min.cleanable.dirty.ratio",
        &[same("log.cleaner.min.cleanable.ratio")],
    ),
    (
        "min.compaction.lag.ms",
        &[same("log.cleaner.min.compaction.lag.ms")],
    ),
    ("min.insync.replicas", &[same("min.insync.replicas")]),
    ("preallocate", &[same("log.preallocate")]),
    ("retention.bytes", &[same("log.retention.bytes")]),
    (
        "retention.ms",
        &[
            same("log.retention.ms"),
            scaled("log.retention.minutes", MINUTE_MS),
            scaled("log.retention.hours", HOUR_MS),
        ],
    ),
    ("segment.bytes", &[same("log.segment.bytes")]),
    ("segment.index.bytes", &[same("log.index.size.max.bytes")]),
    (
        "segment.jitter.ms",
        &[
            same("log.roll.jitter.ms"),
            scaled("log.roll.jitter.hours", HOUR_MS),
        ],
    ),
    (
        "segment.ms",
        &[same("log.roll.ms"), scaled("log.roll.hours", HOUR_MS)],
    ),
    (
        "unclean.leader.election.enable",
        &[same("unclean.leader.election.enable")],
    ),
];

/// Sorted by name.
static TOPIC_PROPERTIES: &[Property] = properties! {
    "cleanup.policy", ListOf(&["compact", "delete"]), "delete", Medium, InForce,
        "What happens to old segments: delete drops them after the retention time or size, compact keeps the newest record of each key. Both may be given; empty keeps everything.";
    "compression.gzip.level", GzipLevel, "-1", Medium, AcceptedWithoutEffect,
        "Effort of gzip when the broker compresses: -1 is the codec's default, 1 the fastest, 9 the smallest.";
    "compression.lz4.level", Int(within(1, 17)), "9", Medium, AcceptedWithoutEffect,
        "Effort of lz4 when the broker compresses.";
    "compression.type", OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]), "producer", Medium, InForce,
        "Codec in which batches are stored; producer keeps each batch as it was sent, and any other has those sent in another codec compressed anew.";
    "compression.zstd.level", Int(within(-131_072, 22)), "3", Medium, AcceptedWithoutEffect,
        "Effort of zstd when the broker compresses.";
    "delete.retention.ms", Long(at_least(0)), "86400000", Medium, InForce,
        "How long tombstones and transaction markers outlive the compaction that could drop them, so that slow readers see them.";
    "file.delete.delay.ms", Long(at_least(0)), "60000", Medium, InForce,
        "How long a deleted file stays on disk under its .deleted name.";
    "flush.messages", Long(at_least(1)), "9223372036854775807", Medium, InForce,
        "Records after which the log is forced to disk; with 1 nothing is acknowledged before it is on disk.";
    "flush.ms", Long(at_least(0)), "9223372036854775807", Medium, InForce,
        "Longest time a record waits to be forced to disk.";
    "follower.replication.throttled.replicas", ThrottledReplicas, "", Medium, AcceptedWithoutEffect,
        "Replicas whose fetching as followers counts against the replication quota.";
    "index.interval.bytes", Int(at_least(0)), "4096", Medium, InForce,
        "Bytes of log between two entries of the offset index.";
    "internal.segment.bytes", Int(ANY), unset, Internal, AcceptedWithoutEffect,
        "Segment size below the least legal one, for Kafka's own tests.";
    "leader.replication.throttled.replicas", ThrottledReplicas, "", Medium, AcceptedWithoutEffect,
        "Replicas whose serving as leaders counts against the replication quota.";
    "local.retention.bytes", Long(at_least(-2)), "-2", Medium, AcceptedWithoutEffect,
        "Bytes of a tiered partition kept on local disk; -2 takes retention.bytes.";
    "local.retention.ms", Long(at_least(-2)), "-2", Medium, AcceptedWithoutEffect,
        "How long a tiered segment stays on local disk; -2 takes retention.ms.";
    "max.compaction.lag.ms", Long(at_least(1)), "9223372036854775807", Medium, InForce,
        "Longest time a record may wait before compaction looks at it.";
    "max.message.bytes", Int(at_least(0)), "1048588", Medium, InForce,
        "Largest record batch that is accepted, counted as sent, compression and batch header included.";
    "message.timestamp.after.max.ms", Long(at_least(0)), "3600000", Medium, InForce,
        "How far a record's timestamp may lie ahead of the broker's clock; only with CreateTime.";
    "message.timestamp.before.max.ms", Long(at_least(0)), "9223372036854775807", Medium, InForce,
        "How far a record's timestamp may lie behind the broker's clock; only with CreateTime.";
    "message.timestamp.type", OneOf(&["CreateTime", "LogAppendTime"]), "CreateTime", Medium, InForce,
        "Whether a record's timestamp is the producer's or the moment of its append.";
    "min.cleanable.dirty.ratio", Double(0.0, 1.0), "0.5", Medium, InForce,
        "Share of uncompacted bytes from which a log is worth compacting.";
    "min.compaction.lag.ms", Long(at_least(0)), "0", Medium, InForce,
        "Time during which a record is never compacted away.";
    "min.insync.replicas", Int(at_least(1)), "1", Medium, InForce,
        "In-sync replicas without which a produce that asks for all of them is refused.";
    "preallocate", Boolean, "false", Medium, InForce,
        "Whether a new segment takes its full size on disk at once.";
    "remote.log.copy.disable", Boolean, "false", Medium, AcceptedWithoutEffect,
        "Whether a tiered topic stops copying segments to remote storage.";
    "remote.log.delete.on.disable", Boolean, "false", Medium, AcceptedWithoutEffect,
        "Whether remote segments go away when tiering is switched off.";
    "remote.storage.enable", Boolean, "false", Medium,
        Guarded("Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage."),
        "Whether sealed segments are copied to remote storage.";
    "retention.bytes", Long(ANY), "-1", Medium, InForce,
        "Bytes a partition may hold before its oldest segments go; -1 is no limit.";
    "retention.ms", Long(at_least(-1)), "604800000", Medium, InForce,
        "Age at which a segment goes; -1 is never.";
    "segment.bytes", Int(at_least(1_048_576)), "1073741824", Medium, InForce,
        "Size at which a segment is sealed and the next begins.";
    "segment.index.bytes", Int(at_least(4)), "10485760", Medium, InForce,
        "Size of a segment's offset index; the segment is sealed when it is full.";
    "segment.jitter.ms", Long(at_least(0)), "0", Medium, InForce,
        "Random part taken off segment.ms, so that segments do not all roll at once.";
    "segment.ms", Long(at_least(1)), "604800000", Medium, InForce,
        "Time after its first record at which a segment is sealed even if it is not full.";
    "unclean.leader.election.enable", Boolean, "false", Medium, AcceptedWithoutEffect,
        "Whether a replica that is not in sync may lead when no other is left, losing records.";
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::property::Status;
    use crate::config::table::broker_property;

    #[test]
    fn rows_are_sorted_so_that_search_finds_each() {
        assert!(TOPIC_PROPERTIES.is_sorted_by(|a, b| a.name < b.name));
        assert_eq!(
            TOPIC_PROPERTIES.len(),
            34,
            "Kafka 4.3 knows 34 topic properties"
        );
    }

    #[test]
    fn defaults_are_legal_and_every_row_says_what_it_does() {
        for property in TOPIC_PROPERTIES {
            property.default_value();
            assert!(property.doc.ends_with('.'), "{}", property.name);
            assert!(
                !matches!(property.status, Status::Mapped(_)),
                "{}",
                property.name
            );
        }
    }

    #[test]
    fn every_synonym_is_a_broker_property_of_the_same_kind_and_default() {
        for topic in topic_properties() {
            for synonym in topic.synonyms {
                let broker = broker_property(synonym.broker)
                    .unwrap_or_else(|| panic!("{} is unknown", synonym.broker));
                assert_eq!(broker.status, topic.property.status, "{}", synonym.broker);
                if let [only] = topic.synonyms {
                    assert_eq!(only.scale, 1);
                    assert_eq!(broker.kind, topic.property.kind, "{}", synonym.broker);
                    assert_eq!(broker.default, topic.property.default, "{}", synonym.broker);
                }
            }
        }
    }

    #[test]
    fn a_broker_property_knows_the_topic_property_it_gives_the_default_of() {
        assert_eq!(topic_override("log.roll.hours"), Some("segment.ms"));
        assert_eq!(
            topic_override("message.max.bytes"),
            Some("max.message.bytes")
        );
        assert_eq!(topic_override("num.partitions"), None);
    }
}
