//! Roles and the quorum of controllers. This broker keeps its metadata alone, as a node with both roles does.

use crate::config::property::Kind::*;
use crate::config::property::Status::*;
use crate::config::property::{ANY, Property, at_least, properties};

pub(super) static PROPERTIES: &[Property] = properties! {
    "controller.listener.names", List, unset, High, InForce,
        "Names of the listeners that belong to the controller. This broker opens none of them: it has no other controllers to talk to.";
    "controller.quorum.bootstrap.servers", List, "", High, AcceptedWithoutEffect,
        "Controllers to ask for the quorum; a single node asks itself.";
    "controller.quorum.voters", List, "", High, InForce,
        "Voters of a static quorum as id@host:port. One voter, this node, is served; several stop the start.";
    "inter.broker.listener.name", Text, unset, Medium, AcceptedWithoutEffect,
        "Listener that brokers use among themselves; a single broker has none to call.";
    "process.roles", ListOf(&["broker", "controller"]), unset, High, InForce,
        "What this node is. Unset and broker,controller are served: one node that keeps its own metadata. A single role would need other nodes and stops the start.";
    "security.inter.broker.protocol", OneOf(&["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]), "PLAINTEXT", Medium, Guarded("only PLAINTEXT is served"),
        "Security protocol between brokers.";
    "broker.heartbeat.interval.ms", Int(ANY), "2000", Medium, AcceptedWithoutEffect,
        "Time between heartbeats to the controller.";
    "broker.session.timeout.ms", Int(at_least(0)), "9000", Medium, AcceptedWithoutEffect,
        "Time without a heartbeat after which the controller fences a broker.";
};
