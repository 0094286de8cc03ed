//! Copies between brokers, and who leads. A single broker has no one to copy from, so most of this has no effect yet.

use crate::config::property::Kind::*;
use crate::config::property::Status::*;
use crate::config::property::{ANY, Property, at_least, properties};

pub(super) static PROPERTIES: &[Property] = properties! {
    "alter.log.dirs.replication.quota.window.num", Int(at_least(1)), "11", Low, AcceptedWithoutEffect,
        "Windows over which the rate of moves between data directories is measured.";
    "alter.log.dirs.replication.quota.window.size.seconds", Int(at_least(1)), "1", Low, AcceptedWithoutEffect,
        "Length of one of those windows.";
    "auto.leader.rebalance.enable", Boolean, "true", High, AcceptedWithoutEffect,
        "Whether leadership goes back to preferred leaders by itself.";
    "controlled.shutdown.enable", Boolean, "true", Medium, AcceptedWithoutEffect,
        "Whether a broker hands over its partitions before it stops.";
    "cordoned.log.dirs", List, "", Medium, Guarded("data directories cannot be cordoned yet"),
        "Data directories that take no new partitions.";
    "follower.fetch.last.tiered.offset.enable", Boolean, "false", Medium, AcceptedWithoutEffect,
        "Whether a new follower of a tiered topic starts after what is tiered.";
    "leader.imbalance.check.interval.seconds", Long(at_least(1)), "300", High, AcceptedWithoutEffect,
        "How often preferred leadership is looked at.";
    "num.replica.fetchers", Int(at_least(1)), "1", High, AcceptedWithoutEffect,
        "Connections to each leader that is followed.";
    "replica.fetch.backoff.ms", Int(at_least(0)), "1000", Medium, AcceptedWithoutEffect,
        "Pause after a failed fetch from a leader.";
    "replica.fetch.max.bytes", Int(at_least(0)), "1048576", Medium, AcceptedWithoutEffect,
        "Bytes of one partition fetched from a leader at once.";
    "replica.fetch.min.bytes", Int(ANY), "1", High, AcceptedWithoutEffect,
        "Bytes for which a leader lets its follower wait.";
    "replica.fetch.response.max.bytes", Int(at_least(0)), "10485760", Medium, AcceptedWithoutEffect,
        "Bytes of all partitions fetched from a leader at once.";
    "replica.fetch.wait.max.ms", Int(ANY), "500", High, AcceptedWithoutEffect,
        "Longest time a leader lets its follower wait.";
    "replica.high.watermark.checkpoint.interval.ms", Long(ANY), "5000", High, InForce,
        "How often high watermarks are written down; 0 or less is once, at the start.";
    "replica.lag.time.max.ms", Long(ANY), "30000", High, AcceptedWithoutEffect,
        "Time after which a follower that has not caught up leaves the in-sync replicas.";
    "replica.selector.class", Text, unset, Medium, AcceptedWithoutEffect,
        "Class that chooses the replica a consumer reads from.";
    "replica.socket.receive.buffer.bytes", Int(ANY), "65536", High, AcceptedWithoutEffect,
        "Receive buffer towards a leader.";
    "replica.socket.timeout.ms", Int(ANY), "30000", High, AcceptedWithoutEffect,
        "Time a follower waits for its leader.";
    "replication.quota.window.num", Int(at_least(1)), "11", Low, AcceptedWithoutEffect,
        "Windows over which the rate of throttled replication is measured.";
    "replication.quota.window.size.seconds", Int(at_least(1)), "1", Low, AcceptedWithoutEffect,
        "Length of one of those windows.";
    "socket.connection.setup.timeout.max.ms", Long(ANY), "30000", Medium, AcceptedWithoutEffect,
        "Longest time a connection to another broker may take to be made.";
    "socket.connection.setup.timeout.ms", Long(ANY), "10000", Medium, AcceptedWithoutEffect,
        "Time a connection to another broker may take to be made at first.";
    "unclean.leader.election.interval.ms", Long(at_least(1)), "300000", Internal, AcceptedWithoutEffect,
        "How often partitions without a leader are looked at.";
};
