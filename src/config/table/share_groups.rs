//! Share groups and streams groups. Without effect until they are served.

use crate::config::property::Kind::*;
use crate::config::property::Status::*;
use crate::config::property::{ANY, Property, at_least, properties, within};

pub(super) static PROPERTIES: &[Property] = properties! {
    "group.share.assignment.interval.ms", Int(at_least(0)), "1000", Medium, AcceptedWithoutEffect,
        "Least time between two assignments of a share group.";
    "group.share.assignors", List, "simple", Medium, AcceptedWithoutEffect,
        "Ways to assign partitions to the members of share groups.";
    "group.share.delivery.count.limit", Int(within(2, 10)), "5", Medium, AcceptedWithoutEffect,
        "How often a record is handed out before it is given up.";
    "group.share.heartbeat.interval.ms", Int(at_least(1)), "5000", Medium, AcceptedWithoutEffect,
        "Time between heartbeats that members are told.";
    "group.share.initialize.retry.interval.ms", Int(at_least(1)), "30000", Internal, AcceptedWithoutEffect,
        "Pause before the state of a share group is initialised again.";
    "group.share.max.assignment.interval.ms", Int(at_least(0)), "15000", Medium, AcceptedWithoutEffect,
        "Greatest assignment interval a share group may set.";
    "group.share.max.delivery.count.limit", Int(within(5, 25)), "10", Medium, AcceptedWithoutEffect,
        "Greatest delivery count a share group may set.";
    "group.share.max.heartbeat.interval.ms", Int(at_least(1)), "15000", Medium, AcceptedWithoutEffect,
        "Greatest heartbeat interval a share group may set.";
    "group.share.max.partition.max.record.locks", Int(within(2000, 10_000)), "4000", Medium, AcceptedWithoutEffect,
        "Greatest count of locked records a share group may set.";
    "group.share.max.record.lock.duration.ms", Int(within(30_000, 3_600_000)), "60000", Medium, AcceptedWithoutEffect,
        "Greatest lock duration a share group may set.";
    "group.share.max.session.timeout.ms", Int(at_least(1)), "60000", Medium, AcceptedWithoutEffect,
        "Greatest session timeout a share group may set.";
    "group.share.max.share.sessions", Int(at_least(1)), "2000", Medium, AcceptedWithoutEffect,
        "Share sessions that are remembered.";
    "group.share.max.size", Int(within(1, 1000)), "200", Medium, AcceptedWithoutEffect,
        "Members a share group may have.";
    "group.share.min.assignment.interval.ms", Int(at_least(0)), "0", Medium, AcceptedWithoutEffect,
        "Least assignment interval a share group may set.";
    "group.share.min.delivery.count.limit", Int(within(2, 5)), "2", Medium, AcceptedWithoutEffect,
        "Least delivery count a share group may set.";
    "group.share.min.heartbeat.interval.ms", Int(at_least(1)), "5000", Medium, AcceptedWithoutEffect,
        "Least heartbeat interval a share group may set.";
    "group.share.min.partition.max.record.locks", Int(within(100, 2000)), "100", Medium, AcceptedWithoutEffect,
        "Least count of locked records a share group may set.";
    "group.share.min.record.lock.duration.ms", Int(within(1000, 30_000)), "15000", Medium, AcceptedWithoutEffect,
        "Least lock duration a share group may set.";
    "group.share.min.session.timeout.ms", Int(at_least(1)), "45000", Medium, AcceptedWithoutEffect,
        "Least session timeout a share group may set.";
    "group.share.partition.max.record.locks", Int(within(100, 10_000)), "2000", Medium, AcceptedWithoutEffect,
        "Records of a partition that may be handed out at once.";
    "group.share.persister.class.name", Text, "org.apache.kafka.server.share.persister.DefaultStatePersister", Internal, AcceptedWithoutEffect,
        "Class that keeps the state of share groups.";
    "group.share.record.lock.duration.ms", Int(within(1000, 3_600_000)), "30000", Medium, AcceptedWithoutEffect,
        "How long a record is handed out to one member.";
    "group.share.session.timeout.ms", Int(at_least(1)), "45000", Medium, AcceptedWithoutEffect,
        "Time without a heartbeat after which a member is out.";
    "group.streams.assignment.interval.ms", Int(at_least(0)), "1000", Medium, AcceptedWithoutEffect,
        "Least time between two assignments of a streams group.";
    "group.streams.heartbeat.interval.ms", Int(at_least(1)), "5000", Medium, AcceptedWithoutEffect,
        "Time between heartbeats that members are told.";
    "group.streams.initial.rebalance.delay.ms", Int(at_least(0)), "3000", Medium, AcceptedWithoutEffect,
        "How long the first member of an empty streams group waits for others.";
    "group.streams.max.assignment.interval.ms", Int(at_least(0)), "15000", Medium, AcceptedWithoutEffect,
        "Greatest assignment interval a streams group may set.";
    "group.streams.max.heartbeat.interval.ms", Int(at_least(1)), "15000", Medium, AcceptedWithoutEffect,
        "Greatest heartbeat interval a streams group may set.";
    "group.streams.max.session.timeout.ms", Int(at_least(1)), "60000", Medium, AcceptedWithoutEffect,
        "Greatest session timeout a streams group may set.";
    "group.streams.max.size", Int(at_least(1)), "2147483647", Medium, AcceptedWithoutEffect,
        "Members a streams group may have.";
    "group.streams.max.standby.replicas", Int(at_least(0)), "2", Medium, AcceptedWithoutEffect,
        "Greatest count of standby replicas a streams group may set.";
    "group.streams.min.assignment.interval.ms", Int(at_least(0)), "0", Medium, AcceptedWithoutEffect,
        "Least assignment interval a streams group may set.";
    "group.streams.min.heartbeat.interval.ms", Int(at_least(1)), "5000", Medium, AcceptedWithoutEffect,
        "Least heartbeat interval a streams group may set.";
    "group.streams.min.session.timeout.ms", Int(at_least(1)), "45000", Medium, AcceptedWithoutEffect,
        "Least session timeout a streams group may set.";
    "group.streams.num.standby.replicas", Int(at_least(0)), "0", Medium, AcceptedWithoutEffect,
        "Standby replicas of each task.";
    "group.streams.session.timeout.ms", Int(at_least(1)), "45000", Medium, AcceptedWithoutEffect,
        "Time without a heartbeat after which a member is out.";
    "share.coordinator.append.linger.ms", Int(at_least(-1)), "-1", Medium, AcceptedWithoutEffect,
        "How long share records are gathered before they are written; -1 adapts.";
    "share.coordinator.cached.buffer.max.bytes", Int(at_least(524_288)), "1048588", Medium, AcceptedWithoutEffect,
        "Largest buffer of the share coordinator that is kept for reuse.";
    "share.coordinator.cold.partition.snapshot.interval.ms", Int(at_least(1)), "300000", Internal, AcceptedWithoutEffect,
        "How often the state of quiet share partitions is written anew.";
    "share.coordinator.load.buffer.size", Int(at_least(1)), "5242880", High, AcceptedWithoutEffect,
        "Bytes read at once when share state is loaded.";
    "share.coordinator.snapshot.update.records.per.snapshot", Int(within(0, 500)), "500", Medium, AcceptedWithoutEffect,
        "Updates of share state between two snapshots of it.";
    "share.coordinator.state.topic.compression.codec", Int(ANY), "0", High, AcceptedWithoutEffect,
        "Codec of the share state topic: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.";
    "share.coordinator.state.topic.min.isr", Short(at_least(1)), "2", High, AcceptedWithoutEffect,
        "In-sync replicas the share state topic asks for.";
    "share.coordinator.state.topic.num.partitions", Int(at_least(1)), "50", High, AcceptedWithoutEffect,
        "Partitions of the share state topic; not to be changed once it is there.";
    "share.coordinator.state.topic.prune.interval.ms", Int(at_least(1)), "300000", Internal, AcceptedWithoutEffect,
        "How often old records of the share state topic are removed.";
    "share.coordinator.state.topic.replication.factor", Short(at_least(1)), "3", High, AcceptedWithoutEffect,
        "Replicas of the share state topic.";
    "share.coordinator.state.topic.segment.bytes", Int(at_least(1)), "104857600", High, AcceptedWithoutEffect,
        "Segment size of the share state topic.";
    "share.coordinator.threads", Int(at_least(1)), "1", Medium, AcceptedWithoutEffect,
        "Threads of the share coordinator.";
    "share.coordinator.write.timeout.ms", Int(at_least(1)), "5000", High, AcceptedWithoutEffect,
        "Time a write of share state may take to reach the in-sync replicas.";
    "share.fetch.purgatory.purge.interval.requests", Int(ANY), "1000", Medium, AcceptedWithoutEffect,
        "Finished share fetches after which the waiting ones are tidied; here they go at once.";
};
