//! Consumer groups: the classic protocol, which is served, the newer one, which is not, and the topic that keeps their offsets.

use crate::config::property::Kind::*;
use crate::config::property::Status::*;
use crate::config::property::{ANY, Property, at_least, properties, within};

pub(super) static PROPERTIES: &[Property] = properties! {
    "group.consumer.assignment.interval.ms", Int(at_least(0)), "1000", Medium, AcceptedWithoutEffect,
        "Least time between two assignments of a consumer group.";
    "group.consumer.assignors", List, "uniform,range", Medium, AcceptedWithoutEffect,
        "Ways to assign partitions that the broker knows, the default first.";
    "group.consumer.heartbeat.interval.ms", Int(at_least(1)), "5000", Medium, AcceptedWithoutEffect,
        "Time between heartbeats that members are told.";
    "group.consumer.max.assignment.interval.ms", Int(at_least(0)), "15000", Medium, AcceptedWithoutEffect,
        "Greatest assignment interval a group may set.";
    "group.consumer.max.heartbeat.interval.ms", Int(at_least(1)), "15000", Medium, AcceptedWithoutEffect,
        "Greatest heartbeat interval a group may set.";
    "group.consumer.max.session.timeout.ms", Int(at_least(1)), "60000", Medium, AcceptedWithoutEffect,
        "Greatest session timeout a group may set.";
    "group.consumer.max.size", Int(at_least(1)), "2147483647", Medium, AcceptedWithoutEffect,
        "Members a consumer group may have.";
    "group.consumer.migration.policy", OneOfAnyCase(&["DISABLED", "DOWNGRADE", "UPGRADE", "BIDIRECTIONAL"]), "bidirectional", Medium, AcceptedWithoutEffect,
        "Which groups may pass between the classic and the newer protocol.";
    "group.consumer.min.assignment.interval.ms", Int(at_least(0)), "0", Medium, AcceptedWithoutEffect,
        "Least assignment interval a group may set.";
    "group.consumer.min.heartbeat.interval.ms", Int(at_least(1)), "5000", Medium, AcceptedWithoutEffect,
        "Least heartbeat interval a group may set.";
    "group.consumer.min.session.timeout.ms", Int(at_least(1)), "45000", Medium, AcceptedWithoutEffect,
        "Least session timeout a group may set.";
    "group.consumer.regex.refresh.interval.ms", Int(at_least(10_000)), "600000", Internal, AcceptedWithoutEffect,
        "How often a subscription by pattern is matched again.";
    "group.consumer.session.timeout.ms", Int(at_least(1)), "45000", Medium, AcceptedWithoutEffect,
        "Time without a heartbeat after which a member is out.";
    "group.coordinator.append.linger.ms", Int(at_least(-1)), "-1", Medium, AcceptedWithoutEffect,
        "How long group records are gathered before they are written; -1 adapts.";
    "group.coordinator.background.threads", Int(at_least(1)), "2", High, AcceptedWithoutEffect,
        "Threads for the long work of groups.";
    "group.coordinator.cached.buffer.max.bytes", Int(at_least(524_288)), "1048588", Medium, AcceptedWithoutEffect,
        "Largest buffer of a coordinator that is kept for reuse.";
    "group.coordinator.rebalance.protocols", ListOf(&["consumer", "classic", "share", "streams"]), "classic,consumer,streams", Medium, AcceptedWithoutEffect,
        "Protocols of groups that are served.";
    "group.coordinator.threads", Int(at_least(1)), "4", High, AcceptedWithoutEffect,
        "Threads of the group coordinator; here each core has its groups.";
    "group.initial.rebalance.delay.ms", Int(ANY), "3000", Medium, InForce,
        "How long the first member of an empty group waits for others.";
    "group.max.session.timeout.ms", Int(ANY), "1800000", Medium, InForce,
        "Greatest session timeout a member of a classic group may ask for.";
    "group.max.size", Int(at_least(1)), "2147483647", Medium, InForce,
        "Members a classic group may have.";
    "group.min.session.timeout.ms", Int(ANY), "6000", Medium, InForce,
        "Least session timeout a member of a classic group may ask for.";
    "offset.metadata.max.bytes", Int(ANY), "4096", High, InForce,
        "Largest text that may go with a committed offset.";
    "offsets.commit.timeout.ms", Int(at_least(1)), "5000", High, AcceptedWithoutEffect,
        "Time a commit may take to reach the in-sync replicas.";
    "offsets.load.buffer.size", Int(at_least(1)), "5242880", High, InForce,
        "Bytes read at once when offsets are loaded.";
    "offsets.retention.check.interval.ms", Long(at_least(1)), "600000", High, InForce,
        "How often expired offsets are looked for.";
    "offsets.retention.minutes", Int(at_least(1)), "10080", High, InForce,
        "How long the offsets of a group outlive it.";
    "offsets.topic.compression.codec", Int(within(0, 4)), "0", High, InForce,
        "Codec of the offsets topic: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.";
    "offsets.topic.num.partitions", Int(at_least(1)), "50", High, InForce,
        "Partitions of the offsets topic; not to be changed once it is there.";
    "offsets.topic.replication.factor", Short(at_least(1)), "3", High, InForce,
        "Replicas of the offsets topic.";
    "offsets.topic.segment.bytes", Int(at_least(1)), "104857600", High, InForce,
        "Segment size of the offsets topic.";
};
