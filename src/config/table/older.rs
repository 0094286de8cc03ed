//! Names that Kafka no longer has, and that files and tutorials written for earlier versions still carry.

use crate::config::property::Kind::*;
use crate::config::property::Status::*;
use crate::config::property::{ANY, Property, at_least, properties};

pub(super) static PROPERTIES: &[Property] = properties! {
    "advertised.host.name", Text, unset, High, Mapped("advertised.listeners"),
        "Host told to clients, until Kafka 2.8.";
    "advertised.port", Int(ANY), unset, High, Mapped("advertised.listeners"),
        "Port told to clients, until Kafka 2.8.";
    "broker.id.generation.enable", Boolean, "true", Medium, AcceptedWithoutEffect,
        "Whether ZooKeeper hands out broker ids; gone in Kafka 4.";
    "control.plane.listener.name", Text, unset, High, AcceptedWithoutEffect,
        "Listener for the ZooKeeper-based controller; gone in Kafka 4.";
    "controlled.shutdown.max.retries", Int(ANY), "3", Medium, AcceptedWithoutEffect,
        "Attempts to hand over partitions before a stop; gone in Kafka 4.";
    "controlled.shutdown.retry.backoff.ms", Long(ANY), "5000", Medium, AcceptedWithoutEffect,
        "Pause between those attempts; gone in Kafka 4.";
    "controller.message.queue.size", Int(ANY), "10", Low, AcceptedWithoutEffect,
        "Queue between controller and brokers; gone since Kafka 0.8.2.";
    "delegation.token.master.key", Password, unset, Medium, Mapped("delegation.token.secret.key"),
        "Secret with which delegation tokens are made, until Kafka 3.";
    "group.coordinator.new.enable", Boolean, "true", Medium, AcceptedWithoutEffect,
        "Whether the newer group coordinator is used; gone in Kafka 4.";
    "host.name", Text, unset, High, Mapped("listeners"),
        "Address to listen on, until Kafka 2.8.";
    "inter.broker.protocol.version", Text, unset, Medium, AcceptedWithoutEffect,
        "Protocol between brokers; replaced by the cluster's metadata.version.";
    "leader.imbalance.per.broker.percentage", Int(ANY), "10", High, AcceptedWithoutEffect,
        "Share of partitions a broker may lead without being preferred; gone in Kafka 4.";
    "log.cleanup.interval.mins", Int(at_least(1)), unset, Medium, Mapped("log.retention.check.interval.ms"),
        "How often segments are looked at for deletion, in minutes; from Kafka 0.7.";
    "log.delete.delay.ms", Long(at_least(0)), unset, Medium, Mapped("log.segment.delete.delay.ms"),
        "How long a deleted file stays on disk.";
    "log.message.downconversion.enable", Boolean, "true", Low, AcceptedWithoutEffect,
        "Whether old consumers get old record formats; gone in Kafka 4.";
    "log.message.format.version", Text, unset, Medium, AcceptedWithoutEffect,
        "Record format on disk; since Kafka 4 always the newest.";
    "log.message.timestamp.difference.max.ms", Long(at_least(0)), unset, Medium, Mapped("log.message.timestamp.before.max.ms"),
        "How far a record's timestamp may lie from the clock; carried to the bound behind it, the bound ahead has its own property.";
    "message.format.version", Text, unset, Medium, AcceptedWithoutEffect,
        "Record format on disk; since Kafka 4 always the newest.";
    "password.encoder.secret", Password, unset, Medium, AcceptedWithoutEffect,
        "Secret for passwords kept in ZooKeeper; gone in Kafka 4.";
    "port", Int(ANY), unset, High, Mapped("listeners"),
        "Port to listen on, until Kafka 2.8.";
    "quota.consumer.default", Long(at_least(1)), "9223372036854775807", High, Guarded("quotas are not enforced yet"),
        "Bytes a second that each consumer may read, until Kafka 2.8.";
    "quota.producer.default", Long(at_least(1)), "9223372036854775807", High, Guarded("quotas are not enforced yet"),
        "Bytes a second that each producer may write, until Kafka 2.8.";
    "replica.lag.max.messages", Long(ANY), "4000", Medium, AcceptedWithoutEffect,
        "Records a follower may lag; gone since Kafka 0.9, only time counts.";
    "reserved.broker.max.id", Int(at_least(0)), "1000", Medium, AcceptedWithoutEffect,
        "Ids below which ZooKeeper hands out none; gone in Kafka 4.";
    "zookeeper.clientCnxnSocket", Text, unset, Medium, AcceptedWithoutEffect,
        "Socket class towards ZooKeeper, which no broker needs any more.";
    "zookeeper.connect", Text, unset, High, AcceptedWithoutEffect,
        "Address of ZooKeeper, which no broker needs any more: this one keeps its metadata itself.";
    "zookeeper.connection.timeout.ms", Int(ANY), unset, High, AcceptedWithoutEffect,
        "Time to reach ZooKeeper, which no broker needs any more.";
    "zookeeper.max.in.flight.requests", Int(at_least(1)), "10", High, AcceptedWithoutEffect,
        "Requests to ZooKeeper at once, which no broker needs any more.";
    "zookeeper.metadata.migration.enable", Boolean, "false", High, AcceptedWithoutEffect,
        "Whether metadata moves from ZooKeeper, which no broker needs any more.";
    "zookeeper.session.timeout.ms", Int(ANY), "18000", High, AcceptedWithoutEffect,
        "Session with ZooKeeper, which no broker needs any more.";
    "zookeeper.set.acl", Boolean, "false", High, AcceptedWithoutEffect,
        "Whether ZooKeeper nodes are protected; there are none.";
    "zookeeper.sync.time.ms", Int(ANY), "2000", Low, AcceptedWithoutEffect,
        "How far a ZooKeeper follower may lag, which no broker needs any more.";
};
