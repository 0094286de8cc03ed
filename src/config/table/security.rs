//! Who may do what. None of it is in force yet, so whatever promises protection stops the start.

use crate::config::property::Kind::*;
use crate::config::property::Status::*;
use crate::config::property::{ANY, Property, at_least, properties};

pub(super) static PROPERTIES: &[Property] = properties! {
    "allow.everyone.if.no.acl.found", Boolean, "false", Internal, AcceptedWithoutEffect,
        "Whether what no rule names is allowed; read by authorizers only, and none is loaded.";
    "authorizer.class.name", Text, "", Low, Guarded("requests are not authorized yet, so everything would be allowed"),
        "Class that says who may do what.";
    "connection.failed.authentication.delay.ms", Int(at_least(0)), "100", Low, AcceptedWithoutEffect,
        "Pause before a connection that failed to authenticate is closed.";
    "connections.max.reauth.ms", Long(ANY), "0", Medium, Guarded("clients are not authenticated yet"),
        "Time after which a client must authenticate again.";
    "delegation.token.expiry.check.interval.ms", Long(at_least(1)), "3600000", Low, AcceptedWithoutEffect,
        "How often expired delegation tokens are looked for.";
    "delegation.token.expiry.time.ms", Long(at_least(1)), "86400000", Medium, AcceptedWithoutEffect,
        "Time after which a delegation token must be renewed.";
    "delegation.token.max.lifetime.ms", Long(at_least(1)), "604800000", Medium, AcceptedWithoutEffect,
        "Time after which a delegation token is void.";
    "delegation.token.secret.key", Password, unset, Medium, Guarded("delegation tokens are not served yet"),
        "Secret with which delegation tokens are made.";
    "principal.builder.class", Class, "org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder", Medium, Guarded("clients are not authenticated yet"),
        "Class that tells who a client is.";
    "security.providers", Text, unset, Low, Guarded("this broker loads no Java security providers"),
        "Classes of security algorithms.";
    "super.users", Text, unset, Internal, AcceptedWithoutEffect,
        "Users that may do everything; read by authorizers only, and none is loaded.";
};
