//! The server itself: identity, listeners, connections, requests, topics.

use crate::config::property::Kind::*;
use crate::config::property::Status::*;
use crate::config::property::{ANY, Property, at_least, properties, within};

pub(super) static PROPERTIES: &[Property] = properties! {
    "advertised.listeners", List, unset, High, InForce,
        "Addresses told to clients, one for each listener that needs another one than it listens on. A listener on every interface without an entry here is told by the machine's host name.";
    "alter.config.policy.class.name", Class, unset, Low, Guarded("no policy class is loaded, so the policy would not be enforced"),
        "Class that may refuse a change of configuration.";
    "auto.create.topics.enable", Boolean, "true", High, InForce,
        "Whether asking for a topic that does not exist creates it.";
    "background.threads", Int(at_least(1)), "10", High, AcceptedWithoutEffect,
        "Threads for background work; here each core does its own (see --cores).";
    "broker.id", Int(ANY), "-1", High, Mapped("node.id"),
        "Number of this broker in its cluster; -1 is unset.";
    "broker.rack", Text, unset, Medium, InForce,
        "Rack or zone of this broker, told to clients.";
    "compression.gzip.level", GzipLevel, "-1", Medium, AcceptedWithoutEffect,
        "Default of the topics' compression.gzip.level.";
    "compression.lz4.level", Int(within(1, 17)), "9", Medium, AcceptedWithoutEffect,
        "Default of the topics' compression.lz4.level.";
    "compression.type", OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]), "producer", High, InForce,
        "Default of the topics' compression.type.";
    "compression.zstd.level", Int(within(-131_072, 22)), "3", Medium, AcceptedWithoutEffect,
        "Default of the topics' compression.zstd.level.";
    "config.providers", List, "", Low, Guarded("values that refer to a provider are not resolved, so a secret would be read as its reference"),
        "Classes that resolve indirect values.";
    "connections.max.idle.ms", Long(ANY), "600000", Medium, InForce,
        "Time without a request after which a connection is closed; a negative value is never.";
    "create.topic.policy.class.name", Class, unset, Low, Guarded("no policy class is loaded, so the policy would not be enforced"),
        "Class that may refuse a new topic.";
    "default.replication.factor", Int(ANY), "1", Medium, InForce,
        "Replicas of a topic that is created without a count; more than there are brokers refuses the creation.";
    "delete.topic.enable", Boolean, "true", High, InForce,
        "Whether topics may be deleted.";
    "early.start.listeners", List, unset, High, AcceptedWithoutEffect,
        "Listeners that open before the authorizer is ready; here none waits for one.";
    "fetch.max.bytes", Int(at_least(1024)), "57671680", Medium, InForce,
        "Most bytes of records in one Fetch answer, whatever the client asks for; the first batch is always whole.";
    "listener.security.protocol.map", Text, "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT", Low, InForce,
        "Security protocol of each listener name. Only PLAINTEXT is served: a listener of another protocol stops the start.";
    "listeners", List, "PLAINTEXT://:9092", High, InForce,
        "Addresses to listen on, as NAME://host:port. An empty host is every interface; port 0 takes a free one.";
    "max.connection.creation.rate", Int(at_least(0)), "2147483647", Medium, Guarded("the rate of new connections is not limited yet"),
        "New connections a second; more wait.";
    "max.connections", Int(at_least(0)), "2147483647", Medium, InForce,
        "Connections of all clients together; past it a new one is closed.";
    "max.connections.per.ip", Int(at_least(0)), "2147483647", Medium, InForce,
        "Connections from one address; past it a new one is closed.";
    "max.connections.per.ip.overrides", Text, "", Medium, Guarded("limits of single addresses are not enforced yet"),
        "Limits of connections for single addresses, as address:count.";
    "max.incremental.fetch.session.cache.slots", Int(at_least(0)), "1000", Medium, InForce,
        "Fetch sessions that are remembered; past it the oldest make way.";
    "max.request.partition.size.limit", Int(at_least(1)), "2000", Medium, InForce,
        "Most partitions in one DescribeTopicPartitions answer.";
    "min.insync.replicas", Int(at_least(1)), "1", High, InForce,
        "Default of the topics' min.insync.replicas.";
    "node.id", Int(at_least(0)), unset, High, InForce,
        "Number of this broker in its cluster. Unset takes the one its data directory was made with, or 1.";
    "num.io.threads", Int(at_least(1)), "8", High, AcceptedWithoutEffect,
        "Threads that carry out requests; here each core does (see --cores).";
    "num.network.threads", Int(at_least(1)), "3", High, AcceptedWithoutEffect,
        "Threads that serve sockets; here each core does (see --cores).";
    "num.partitions", Int(at_least(1)), "1", Medium, InForce,
        "Partitions of a topic that is created without a count.";
    "queued.max.request.bytes", Long(ANY), "-1", Medium, InForce,
        "Bytes of requests read and not yet answered, past which sockets are not read; -1 is no limit of its own.";
    "queued.max.requests", Int(at_least(1)), "500", High, InForce,
        "Requests read and not yet answered, past which sockets are not read.";
    "request.timeout.ms", Int(ANY), "30000", High, AcceptedWithoutEffect,
        "Time this broker gives requests it makes of others.";
    "socket.listen.backlog.size", Int(at_least(1)), "50", Medium, InForce,
        "Connections that may wait to be accepted.";
    "socket.receive.buffer.bytes", Int(ANY), "102400", High, InForce,
        "Receive buffer of a client's socket; -1 leaves it to the kernel.";
    "socket.request.max.bytes", Int(at_least(1)), "104857600", High, InForce,
        "Largest request; a longer one closes its connection before any memory is taken for it.";
    "socket.send.buffer.bytes", Int(ANY), "102400", High, InForce,
        "Send buffer of a client's socket; -1 leaves it to the kernel.";
    "unclean.leader.election.enable", Boolean, "false", High, AcceptedWithoutEffect,
        "Default of the topics' unclean.leader.election.enable.";
};
