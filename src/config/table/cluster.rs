//! Roles and the quorum of controllers. This broker keeps its metadata alone, as a node with both roles does.

use crate::config::property::Kind::*;
use crate::config::property::Status::*;
use crate::config::property::{ANY, Property, at_least, properties};

pub(super) static PROPERTIES: &[Property] = properties! {
    "broker.heartbeat.interval.ms", Int(ANY), "2000", Medium, AcceptedWithoutEffect,
        "Time between heartbeats to the controller.";
    "broker.session.timeout.ms", Int(ANY), "9000", Medium, AcceptedWithoutEffect,
        "Time without a heartbeat after which the controller fences a broker.";
    "controller.listener.names", List, unset, High, InForce,
        "Names of the listeners that belong to the controller. This broker opens none of them: it has no other controllers to talk to.";
    "controller.performance.always.log.threshold.ms", Long(at_least(0)), "2000", Internal, AcceptedWithoutEffect,
        "Time of a controller event from which it is always logged.";
    "controller.performance.sample.period.ms", Long(at_least(100)), "60000", Internal, AcceptedWithoutEffect,
        "How often the controller's slowest events are logged.";
    "controller.quorum.append.linger.ms", Int(at_least(0)), "25", Medium, AcceptedWithoutEffect,
        "How long the controller gathers records before it writes them.";
    "controller.quorum.auto.join.enable", Boolean, "false", Low, AcceptedWithoutEffect,
        "Whether a controller joins the voters by itself.";
    "controller.quorum.bootstrap.servers", List, "", High, AcceptedWithoutEffect,
        "Controllers to ask for the quorum; a single node asks itself.";
    "controller.quorum.election.backoff.max.ms", Int(at_least(0)), "1000", High, AcceptedWithoutEffect,
        "Longest pause before another election of the controller.";
    "controller.quorum.election.timeout.ms", Int(at_least(0)), "1000", High, AcceptedWithoutEffect,
        "Time a controller waits for votes.";
    "controller.quorum.fetch.max.bytes", Int(at_least(1)), "1048576", Low, AcceptedWithoutEffect,
        "Bytes of the metadata log fetched at once.";
    "controller.quorum.fetch.snapshot.max.bytes", Int(at_least(1)), "1048576", Low, AcceptedWithoutEffect,
        "Bytes of a metadata snapshot fetched at once.";
    "controller.quorum.fetch.timeout.ms", Int(at_least(0)), "2000", High, AcceptedWithoutEffect,
        "Time without the leading controller after which another is elected.";
    "controller.quorum.request.timeout.ms", Int(at_least(0)), "2000", Medium, AcceptedWithoutEffect,
        "Time a controller waits for an answer of another.";
    "controller.quorum.retry.backoff.ms", Int(at_least(0)), "20", Low, AcceptedWithoutEffect,
        "Pause before a request between controllers is repeated.";
    "controller.quorum.voters", List, "", High, InForce,
        "Voters of a static quorum as id@host:port. One voter, this node, is served; several stop the start.";
    "controller.quota.window.num", Int(at_least(1)), "11", Low, AcceptedWithoutEffect,
        "Windows over which the rate of changes of topics is measured.";
    "controller.quota.window.size.seconds", Int(at_least(1)), "1", Low, AcceptedWithoutEffect,
        "Length of one of those windows.";
    "controller.socket.timeout.ms", Int(ANY), "30000", Medium, AcceptedWithoutEffect,
        "Time a broker waits for its controller; here both are one process.";
    "initial.broker.registration.timeout.ms", Int(ANY), "60000", Medium, AcceptedWithoutEffect,
        "Time a broker may take to register; here it registers with itself.";
    "inter.broker.listener.name", Text, unset, Medium, AcceptedWithoutEffect,
        "Listener that brokers use among themselves; a single broker has none to call.";
    "internal.metadata.delete.delay.millis", Long(ANY), "60000", Internal, AcceptedWithoutEffect,
        "How long a deleted file of the metadata log stays, for Kafka's own tests.";
    "internal.metadata.log.segment.bytes", Int(ANY), unset, Internal, AcceptedWithoutEffect,
        "Segment size of the metadata log below the least legal one, for Kafka's own tests.";
    "internal.metadata.max.batch.size.in.bytes", Int(ANY), "8388608", Internal, AcceptedWithoutEffect,
        "Largest batch of the metadata log, for Kafka's own tests.";
    "metadata.log.dir", Text, unset, High, InForce,
        "Directory of the metadata log when it is not the first of log.dirs.";
    "metadata.log.max.record.bytes.between.snapshots", Long(at_least(1)), "20971520", High, AcceptedWithoutEffect,
        "Bytes of metadata after which a snapshot is taken.";
    "metadata.log.max.snapshot.interval.ms", Long(at_least(0)), "3600000", High, AcceptedWithoutEffect,
        "Time after which a metadata snapshot is taken.";
    "metadata.log.segment.bytes", Int(at_least(8_388_608)), "1073741824", High, AcceptedWithoutEffect,
        "Segment size of the metadata log.";
    "metadata.log.segment.ms", Long(ANY), "604800000", High, AcceptedWithoutEffect,
        "Time after which a segment of the metadata log is sealed.";
    "metadata.max.idle.interval.ms", Int(at_least(0)), "500", Low, AcceptedWithoutEffect,
        "How often an idle controller writes a record that says nothing; here none is needed.";
    "metadata.max.retention.bytes", Long(ANY), "104857600", High, AcceptedWithoutEffect,
        "Bytes of metadata log and snapshots before the oldest go.";
    "metadata.max.retention.ms", Long(ANY), "604800000", High, AcceptedWithoutEffect,
        "Age at which metadata log and snapshots go.";
    "process.roles", ListOf(&["broker", "controller"]), unset, High, InForce,
        "What this node is. Unset and broker,controller are served: one node that keeps its own metadata. A single role would need other nodes and stops the start.";
    "security.inter.broker.protocol", OneOf(&["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]), "PLAINTEXT", Medium, Guarded("only PLAINTEXT is served"),
        "Security protocol between brokers.";
    "server.max.startup.time.ms", Long(at_least(0)), "9223372036854775807", Internal, AcceptedWithoutEffect,
        "Time a start may take.";
    "unstable.api.versions.enable", Boolean, "false", Internal, AcceptedWithoutEffect,
        "Whether versions of requests that may still change are served.";
    "unstable.feature.versions.enable", Boolean, "false", Internal, AcceptedWithoutEffect,
        "Whether feature levels that may still change are allowed.";
};
