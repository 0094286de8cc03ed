//! What Kafka has no property for: this broker's own.

use crate::config::property::Kind::*;
use crate::config::property::Property;
use crate::config::property::Status::*;
use crate::config::property::properties;

pub(super) static PROPERTIES: &[Property] = properties! {
    "advertised.core.listeners", List, unset, Medium, InForce,
        "Addresses told to clients for core.listeners where those are other ones than are listened on, as NAME://host:port with the port of the first core.";
    "core.listeners", List, unset, Medium, InForce,
        "Listeners whose clients talk to each core directly, at an address of the core's own: NAME (the ports after the listener's), NAME://host:port with the port of the first core, or * for all. Their clients see each core as a node.";
};
