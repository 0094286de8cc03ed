//! Properties of Kafka's consumers and producers, today's and those of Kafka 0.8, and what each means for our own console clients.
//!
//! Leaf: tables. A row that is [`InForce`] sets something, one that is mapped passes its value to the row that is named,
//! of one without effect the text says why, and one that is guarded promises what our clients do not give.

use super::property::Kind::*;
use super::property::Status::*;
use super::property::{ANY, Property, Status, at_least, properties};

/// Whose properties.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClientSide {
    /// `consumer.properties`
    Consumer,
    /// `producer.properties`
    Producer,
}

impl ClientSide {
    /// Every property of this side.
    pub fn properties(self) -> impl Iterator<Item = &'static Property> {
        let own = match self {
            ClientSide::Consumer => CONSUMER,
            ClientSide::Producer => PRODUCER,
        };
        COMMON.iter().chain(own)
    }

    /// The property called `name`.
    pub fn property(self, name: &str) -> Option<&'static Property> {
        let exact = self.properties().find(|property| property.name == name);
        exact.or_else(|| {
            let guarded = |start: &str| name.starts_with(start);
            if guarded("ssl.") {
                Some(&NO_TLS)
            } else if guarded("sasl.") {
                Some(&NO_SASL)
            } else {
                None
            }
        })
    }
}

/// What a value of an older property is called by the property of today.
pub(super) fn modern_value(older: &str, value: String) -> String {
    let counted = match (older, value.as_str()) {
        ("compression.codec", "0") => "none",
        ("compression.codec", "1") => "gzip",
        ("compression.codec", "2") => "snappy",
        _ => return value,
    };
    counted.to_owned()
}

/// Stands for every `ssl.` property.
static NO_TLS: Property = Property {
    name: "ssl.*",
    kind: Text,
    default: None,
    importance: super::property::Importance::Medium,
    status: Status::Guarded(
        "our clients do not speak TLS yet, so nothing would be encrypted or checked",
    ),
    doc: "How TLS is spoken.",
};

/// Stands for every `sasl.` property.
static NO_SASL: Property = Property {
    name: "sasl.*",
    kind: Text,
    default: None,
    importance: super::property::Importance::Medium,
    status: Status::Guarded("our clients do not log in yet"),
    doc: "How to log in.",
};

static COMMON: &[Property] = properties! {
    "bootstrap.servers", List, unset, High, InForce,
        "Brokers to begin with, as host:port with commas between them.";
    "client.dns.lookup", Text, "use_all_dns_ips", Medium, AcceptedWithoutEffect,
        "Every address of a name is tried already.";
    "client.id", Text, "", Medium, InForce,
        "Name by which the broker knows the client.";
    "client.rack", Text, "", Low, AcceptedWithoutEffect,
        "Records are always asked of the leader.";
    "connections.max.idle.ms", Long(ANY), "540000", Medium, AcceptedWithoutEffect,
        "Connections stay open while the command runs.";
    "default.api.timeout.ms", Int(at_least(0)), "60000", Medium, AcceptedWithoutEffect,
        "An operation is given up after request.timeout.ms.";
    "enable.metrics.push", Boolean, "true", Low, AcceptedWithoutEffect,
        "The command sends no metrics of its own.";
    "interceptor.classes", List, "", Low, AcceptedWithoutEffect,
        "Classes of Java are not loaded.";
    "metadata.max.age.ms", Long(at_least(0)), "300000", Low, InForce,
        "How often a member of a group looks for new partitions and topics; else metadata are asked for when they turn out to be old.";
    "metric.reporters", List, "", Low, AcceptedWithoutEffect,
        "Classes of Java are not loaded.";
    "receive.buffer.bytes", Int(at_least(-1)), "65536", Medium, AcceptedWithoutEffect,
        "The kernel sizes the socket's buffer by itself.";
    "reconnect.backoff.max.ms", Long(at_least(0)), "1000", Low, AcceptedWithoutEffect,
        "The pauses before another connection are fixed.";
    "reconnect.backoff.ms", Long(at_least(0)), "50", Low, AcceptedWithoutEffect,
        "The pauses before another connection are fixed.";
    "request.timeout.ms", Int(at_least(0)), "30000", Medium, InForce,
        "Time after which an answer is no longer waited for.";
    "retry.backoff.max.ms", Long(at_least(0)), "1000", Low, AcceptedWithoutEffect,
        "The pauses before another attempt are fixed.";
    "retry.backoff.ms", Long(at_least(0)), "100", Low, AcceptedWithoutEffect,
        "The pauses before another attempt are fixed.";
    "security.protocol", OneOf(&["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]), "PLAINTEXT", Medium, Guarded("our clients speak PLAINTEXT only"),
        "How brokers are spoken to.";
    "security.providers", Text, unset, Low, Guarded("classes of Java are not loaded, so the provider would not be used"),
        "Java classes that give security algorithms.";
    "send.buffer.bytes", Int(at_least(-1)), "131072", Medium, AcceptedWithoutEffect,
        "The kernel sizes the socket's buffer by itself.";
    "socket.connection.setup.timeout.max.ms", Long(at_least(0)), "30000", Medium, AcceptedWithoutEffect,
        "The time for a connection follows request.timeout.ms.";
    "socket.connection.setup.timeout.ms", Long(at_least(0)), "10000", Medium, AcceptedWithoutEffect,
        "The time for a connection follows request.timeout.ms.";
};

static CONSUMER: &[Property] = properties! {
    "allow.auto.create.topics", Boolean, "true", Medium, AcceptedWithoutEffect,
        "A consumer of ours never creates the topic that it is to read.";
    "auto.commit.enable", Boolean, "true", High, Mapped("enable.auto.commit"),
        "Whether offsets are committed by themselves; the name of Kafka 0.8.";
    "auto.commit.interval.ms", Int(at_least(0)), "5000", Low, InForce,
        "Time between two commits of offsets.";
    "auto.offset.reset", OneOf(&["earliest", "latest", "none", "smallest", "largest"]), "latest", Medium, InForce,
        "Where to begin without a committed offset: earliest (smallest in Kafka 0.8), latest (largest), or nowhere (none).";
    "check.crcs", Boolean, "true", Low, AcceptedWithoutEffect,
        "Checksums are always checked.";
    "consumer.id", Text, unset, Low, AcceptedWithoutEffect,
        "The group's coordinator hands out the ids of members.";
    "consumer.timeout.ms", Int(at_least(-1)), "-1", Medium, InForce,
        "Time without a record after which the consumer ends; -1 is never.";
    "enable.auto.commit", Boolean, "true", Medium, InForce,
        "Whether offsets are committed by themselves.";
    "exclude.internal.topics", Boolean, "true", Medium, AcceptedWithoutEffect,
        "One topic is read, and it is named.";
    "fetch.max.bytes", Int(at_least(0)), "52428800", Medium, InForce,
        "Most bytes in one answer.";
    "fetch.max.wait.ms", Int(at_least(0)), "500", Low, InForce,
        "Longest time the broker waits for fetch.min.bytes.";
    "fetch.message.max.bytes", Int(at_least(0)), "1048576", Medium, Mapped("max.partition.fetch.bytes"),
        "Most bytes of one partition in one answer; the name of Kafka 0.8.";
    "fetch.min.bytes", Int(at_least(0)), "1", High, InForce,
        "Bytes for which the broker lets the consumer wait.";
    "fetch.wait.max.ms", Int(at_least(0)), "100", Medium, Mapped("fetch.max.wait.ms"),
        "Longest time the broker waits for fetch.min.bytes; the name of Kafka 0.8.";
    "group.id", Text, unset, High, InForce,
        "The consumer group.";
    "group.instance.id", Text, unset, Medium, InForce,
        "Name of a member that keeps its partitions over a restart.";
    "group.protocol", OneOfAnyCase(&["classic", "consumer"]), "classic", High, AcceptedWithoutEffect,
        "Our consumer joins by the classic protocol.";
    "group.remote.assignor", Text, unset, Medium, AcceptedWithoutEffect,
        "Our consumer joins by the classic protocol.";
    "heartbeat.interval.ms", Int(at_least(1)), "3000", High, InForce,
        "Time between heartbeats to the group's coordinator.";
    "isolation.level", OneOf(&["read_committed", "read_uncommitted"]), "read_uncommitted", Medium, InForce,
        "Whether records of open and aborted transactions are read.";
    "key.deserializer", Class, unset, High, AcceptedWithoutEffect,
        "Keys are printed as the text that they are.";
    "max.partition.fetch.bytes", Int(at_least(0)), "1048576", High, InForce,
        "Most bytes of one partition in one answer.";
    "max.poll.interval.ms", Int(at_least(1)), "300000", Medium, InForce,
        "Time after which a member that does not ask for records is out.";
    "max.poll.records", Int(at_least(1)), "500", Medium, AcceptedWithoutEffect,
        "Records are printed as they come.";
    "partition.assignment.strategy", List, "range,cooperative-sticky", Medium, AcceptedWithoutEffect,
        "Our consumer names the ways of assignment that it knows.";
    "queued.max.message.chunks", Int(at_least(1)), "10", Medium, AcceptedWithoutEffect,
        "Records are printed as they come and never queue up.";
    "rebalance.backoff.ms", Long(at_least(0)), "2000", Medium, AcceptedWithoutEffect,
        "The group's coordinator rebalances; members do not compete in ZooKeeper.";
    "rebalance.max.retries", Int(at_least(0)), "4", Medium, AcceptedWithoutEffect,
        "The group's coordinator rebalances; members do not compete in ZooKeeper.";
    "refresh.leader.backoff.ms", Long(at_least(0)), "200", Low, AcceptedWithoutEffect,
        "The pauses before another attempt are fixed.";
    "session.timeout.ms", Int(at_least(1)), "45000", High, InForce,
        "Time without a heartbeat after which a member is out.";
    "socket.receive.buffer.bytes", Int(at_least(-1)), "65536", Medium, AcceptedWithoutEffect,
        "The kernel sizes the socket's buffer by itself.";
    "socket.timeout.ms", Int(at_least(1)), "30000", Medium, Mapped("request.timeout.ms"),
        "Time after which an answer is no longer waited for; the name of Kafka 0.8.";
    "value.deserializer", Class, unset, High, AcceptedWithoutEffect,
        "Values are printed as the text that they are.";
    "zookeeper.connect", Text, unset, High, AcceptedWithoutEffect,
        "No client needs ZooKeeper any more: it asks the brokers of --bootstrap-server.";
    "zookeeper.connection.timeout.ms", Int(ANY), unset, Medium, AcceptedWithoutEffect,
        "No client needs ZooKeeper any more.";
    "zookeeper.session.timeout.ms", Int(ANY), "6000", Medium, AcceptedWithoutEffect,
        "No client needs ZooKeeper any more; session.timeout.ms is the group's.";
    "zookeeper.sync.time.ms", Int(ANY), "2000", Low, AcceptedWithoutEffect,
        "No client needs ZooKeeper any more.";
};

static PRODUCER: &[Property] = properties! {
    "acks", OneOf(&["0", "1", "-1", "all"]), "all", High, InForce,
        "Whose acknowledgement a record waits for: 0 nobody's, 1 the leader's, all (-1) every in-sync replica's.";
    "batch.num.messages", Int(at_least(1)), "200", Medium, AcceptedWithoutEffect,
        "A batch is bounded by its bytes: batch.size.";
    "batch.size", Int(at_least(0)), "16384", Medium, InForce,
        "Bytes at which a batch is sent.";
    "buffer.memory", Long(at_least(0)), "33554432", High, AcceptedWithoutEffect,
        "Memory is bounded by the batches under way.";
    "compressed.topics", Text, unset, Medium, AcceptedWithoutEffect,
        "One topic is written, and compression.type holds for it.";
    "compression.codec", OneOf(&["none", "gzip", "snappy", "lz4", "0", "1", "2"]), "none", High, Mapped("compression.type"),
        "Codec of batches; the name of Kafka 0.8, which also counted them: 0 none, 1 gzip, 2 snappy.";
    "compression.gzip.level", Int(ANY), "-1", Medium, AcceptedWithoutEffect,
        "Batches are compressed with the codec's own effort.";
    "compression.lz4.level", Int(ANY), "9", Medium, AcceptedWithoutEffect,
        "Batches are compressed with the codec's own effort.";
    "compression.type", OneOf(&["none", "gzip", "snappy", "lz4", "zstd"]), "none", High, InForce,
        "Codec of batches.";
    "compression.zstd.level", Int(ANY), "3", Medium, AcceptedWithoutEffect,
        "Batches are compressed with the codec's own effort.";
    "delivery.timeout.ms", Int(at_least(0)), "120000", Medium, AcceptedWithoutEffect,
        "A record is given up after request.timeout.ms.";
    "enable.idempotence", Boolean, "true", Low, InForce,
        "Whether a record that is sent again is written once.";
    "key.serializer", Class, unset, High, AcceptedWithoutEffect,
        "Keys are sent as the bytes that were read.";
    "key.serializer.class", Text, unset, Medium, AcceptedWithoutEffect,
        "Keys are sent as the bytes that were read.";
    "linger.ms", Long(at_least(0)), "5", Medium, InForce,
        "Time for which a batch waits for more records.";
    "max.block.ms", Long(at_least(0)), "60000", Medium, AcceptedWithoutEffect,
        "What is read waits until there is room.";
    "max.in.flight.requests.per.connection", Int(at_least(1)), "5", Low, AcceptedWithoutEffect,
        "One request a connection is under way, so that order is kept.";
    "max.request.size", Int(at_least(0)), "1048576", Medium, AcceptedWithoutEffect,
        "A request is one batch a partition: batch.size.";
    "message.send.max.retries", Int(at_least(0)), "3", High, Mapped("retries"),
        "Attempts to send a batch again; the name of Kafka 0.8.";
    "metadata.broker.list", List, unset, High, Mapped("bootstrap.servers"),
        "Brokers to begin with; the name of Kafka 0.8.";
    "metadata.max.idle.ms", Long(at_least(0)), "300000", Low, AcceptedWithoutEffect,
        "One topic is written for as long as the command runs.";
    "partitioner.adaptive.partitioning.enable", Boolean, "true", Low, AcceptedWithoutEffect,
        "Records without a key go to one partition at a time, in turn.";
    "partitioner.availability.timeout.ms", Long(at_least(0)), "0", Low, AcceptedWithoutEffect,
        "Records without a key go to one partition at a time, in turn.";
    "partitioner.class", Class, unset, Medium, AcceptedWithoutEffect,
        "Records with a key go where Kafka's own partitioner sends them; classes of Java are not loaded.";
    "partitioner.ignore.keys", Boolean, "false", Low, AcceptedWithoutEffect,
        "Records with a key go where Kafka's own partitioner sends them.";
    "producer.type", OneOf(&["sync", "async"]), "sync", High, InForce,
        "Whether each record is acknowledged before the next is read (sync), or batches gather (async); a property of Kafka 0.8.";
    "queue.buffering.max.messages", Int(at_least(1)), "10000", Medium, AcceptedWithoutEffect,
        "Memory is bounded by the batches under way.";
    "queue.buffering.max.ms", Int(at_least(0)), "5000", High, Mapped("linger.ms"),
        "Time for which a batch waits for more records; the name of Kafka 0.8.";
    "queue.enqueue.timeout.ms", Int(at_least(-1)), "-1", Medium, AcceptedWithoutEffect,
        "What is read waits until there is room; nothing is thrown away.";
    "request.required.acks", OneOf(&["0", "1", "-1", "all"]), "0", High, Mapped("acks"),
        "Whose acknowledgement a record waits for; the name of Kafka 0.8.";
    "retries", Int(at_least(0)), "2147483647", High, InForce,
        "Attempts to send a batch again.";
    "serializer.class", Text, unset, High, AcceptedWithoutEffect,
        "Values are sent as the bytes that were read.";
    "topic.metadata.refresh.interval.ms", Long(ANY), "600000", Low, AcceptedWithoutEffect,
        "Metadata are asked for whenever they turn out to be old.";
    "transaction.timeout.ms", Int(at_least(0)), "60000", Low, AcceptedWithoutEffect,
        "Without transactional.id there is no transaction.";
    "transaction.two.phase.commit.enable", Boolean, "false", Low, AcceptedWithoutEffect,
        "Without transactional.id there is no transaction.";
    "transactional.id", Text, unset, Low, Guarded("our producer does not write in transactions, so nothing would be atomic"),
        "Name under which transactions are written.";
    "value.serializer", Class, unset, High, AcceptedWithoutEffect,
        "Values are sent as the bytes that were read.";
};

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const SIDES: [ClientSide; 2] = [ClientSide::Consumer, ClientSide::Producer];

    #[test]
    fn every_name_stands_once_with_a_legal_default_and_a_sentence() {
        for side in SIDES {
            let mut names = BTreeSet::new();
            for property in side.properties() {
                assert!(
                    names.insert(property.name),
                    "{} stands twice",
                    property.name
                );
                property.default_value();
                assert!(property.doc.ends_with('.'), "{}", property.name);
            }
        }
    }

    #[test]
    fn what_is_mapped_points_at_a_property_in_force() {
        for side in SIDES {
            for property in side.properties() {
                if let Mapped(target) = property.status {
                    let target = side.property(target).expect("the property it points at");
                    assert_eq!(target.status, InForce, "{}", property.name);
                }
            }
        }
    }
}
