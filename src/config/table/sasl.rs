//! SASL. Not served yet: every value but the default stops the start.

use crate::config::property::Kind::*;
use crate::config::property::Status::*;
use crate::config::property::{ANY, Property, properties, within};

const NO_SASL: &str = "SASL is not served yet, so nobody would be authenticated";

pub(super) static PROPERTIES: &[Property] = properties! {
    "sasl.client.callback.handler.class", Class, unset, Medium, Guarded(NO_SASL),
        "Class that answers for the broker as a client.";
    "sasl.enabled.mechanisms", List, "GSSAPI", Medium, Guarded(NO_SASL),
        "Mechanisms that clients may use.";
    "sasl.jaas.config", Password, unset, Medium, Guarded(NO_SASL),
        "Login of the broker.";
    "sasl.kerberos.kinit.cmd", Text, "/usr/bin/kinit", Medium, Guarded(NO_SASL),
        "Command that gets a Kerberos ticket.";
    "sasl.kerberos.min.time.before.relogin", Long(ANY), "60000", Medium, Guarded(NO_SASL),
        "Least time between two Kerberos logins, in milliseconds.";
    "sasl.kerberos.principal.to.local.rules", List, "DEFAULT", Medium, Guarded(NO_SASL),
        "How a Kerberos name becomes a user.";
    "sasl.kerberos.service.name", Text, unset, Medium, Guarded(NO_SASL),
        "Kerberos name of the service.";
    "sasl.kerberos.ticket.renew.jitter", Double(f64::MIN, f64::MAX), "0.05", Medium, Guarded(NO_SASL),
        "Random part of the time of renewal.";
    "sasl.kerberos.ticket.renew.window.factor", Double(f64::MIN, f64::MAX), "0.8", Medium, Guarded(NO_SASL),
        "Part of a ticket's life after which it is renewed.";
    "sasl.login.callback.handler.class", Class, unset, Medium, Guarded(NO_SASL),
        "Class that answers the broker's login.";
    "sasl.login.class", Class, unset, Medium, Guarded(NO_SASL),
        "Class that logs the broker in.";
    "sasl.login.connect.timeout.ms", Int(ANY), unset, Low, Guarded(NO_SASL),
        "Time to reach the provider of identities.";
    "sasl.login.read.timeout.ms", Int(ANY), unset, Low, Guarded(NO_SASL),
        "Time the provider of identities may take to answer.";
    "sasl.login.refresh.buffer.seconds", Short(ANY), "300", Medium, Guarded(NO_SASL),
        "Time before its end at which a login is renewed at the latest.";
    "sasl.login.refresh.min.period.seconds", Short(ANY), "60", Medium, Guarded(NO_SASL),
        "Least time between two renewals of a login.";
    "sasl.login.refresh.window.factor", Double(f64::MIN, f64::MAX), "0.8", Medium, Guarded(NO_SASL),
        "Part of a login's life after which it is renewed.";
    "sasl.login.refresh.window.jitter", Double(f64::MIN, f64::MAX), "0.05", Medium, Guarded(NO_SASL),
        "Random part of that time.";
    "sasl.login.retry.backoff.max.ms", Long(ANY), "10000", Low, Guarded(NO_SASL),
        "Longest pause before a login is tried again.";
    "sasl.login.retry.backoff.ms", Long(ANY), "100", Low, Guarded(NO_SASL),
        "First pause before a login is tried again.";
    "sasl.mechanism.controller.protocol", Text, "GSSAPI", High, Guarded(NO_SASL),
        "Mechanism towards controllers.";
    "sasl.mechanism.inter.broker.protocol", Text, "GSSAPI", Medium, Guarded(NO_SASL),
        "Mechanism between brokers.";
    "sasl.oauthbearer.assertion.algorithm", OneOfAnyCase(&["ES256", "RS256"]), "RS256", Medium, Guarded(NO_SASL),
        "Signature of the assertion.";
    "sasl.oauthbearer.assertion.claim.aud", Text, unset, Medium, Guarded(NO_SASL),
        "Audience in the assertion.";
    "sasl.oauthbearer.assertion.claim.exp.seconds", Int(within(0, 86_400)), "300", Low, Guarded(NO_SASL),
        "How long the assertion is valid.";
    "sasl.oauthbearer.assertion.claim.iss", Text, unset, Medium, Guarded(NO_SASL),
        "Issuer in the assertion.";
    "sasl.oauthbearer.assertion.claim.jti.include", Boolean, "false", Medium, Guarded(NO_SASL),
        "Whether the assertion has an id of its own.";
    "sasl.oauthbearer.assertion.claim.nbf.seconds", Int(within(0, 3600)), "60", Low, Guarded(NO_SASL),
        "How long before its making the assertion is valid.";
    "sasl.oauthbearer.assertion.claim.sub", Text, unset, Medium, Guarded(NO_SASL),
        "Subject in the assertion.";
    "sasl.oauthbearer.assertion.file", Text, unset, Medium, Guarded(NO_SASL),
        "File with a ready assertion.";
    "sasl.oauthbearer.assertion.private.key.file", Text, unset, Medium, Guarded(NO_SASL),
        "File with the key that signs assertions.";
    "sasl.oauthbearer.assertion.private.key.passphrase", Password, unset, Medium, Guarded(NO_SASL),
        "Password of that key.";
    "sasl.oauthbearer.assertion.template.file", Text, unset, Medium, Guarded(NO_SASL),
        "File with fixed parts of the assertion.";
    "sasl.oauthbearer.client.credentials.client.id", Text, unset, Medium, Guarded(NO_SASL),
        "Id with which a token is asked for.";
    "sasl.oauthbearer.client.credentials.client.secret", Password, unset, Medium, Guarded(NO_SASL),
        "Secret with which a token is asked for.";
    "sasl.oauthbearer.clock.skew.seconds", Int(ANY), "30", Low, Guarded(NO_SASL),
        "How far the clocks of broker and provider may differ.";
    "sasl.oauthbearer.expected.audience", List, "", High, Guarded(NO_SASL),
        "Audiences of which a token must name one.";
    "sasl.oauthbearer.expected.issuer", Text, unset, High, Guarded(NO_SASL),
        "Issuer that a token must name.";
    "sasl.oauthbearer.jwks.endpoint.refresh.ms", Long(ANY), "3600000", Low, Guarded(NO_SASL),
        "How often the provider's keys are fetched.";
    "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms", Long(ANY), "10000", Low, Guarded(NO_SASL),
        "Longest pause before they are fetched again after a failure.";
    "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms", Long(ANY), "100", Low, Guarded(NO_SASL),
        "First pause before they are fetched again after a failure.";
    "sasl.oauthbearer.jwks.endpoint.url", Text, unset, Medium, Guarded(NO_SASL),
        "Where the provider's keys are.";
    "sasl.oauthbearer.jwt.retriever.class", Class, "org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever", Medium, Guarded(NO_SASL),
        "Class that gets tokens.";
    "sasl.oauthbearer.jwt.validator.class", Class, "org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator", Medium, Guarded(NO_SASL),
        "Class that checks tokens.";
    "sasl.oauthbearer.scope", Text, unset, Medium, Guarded(NO_SASL),
        "Scope with which a token is asked for.";
    "sasl.oauthbearer.scope.claim.name", Text, "scope", Low, Guarded(NO_SASL),
        "Where a token names its scope.";
    "sasl.oauthbearer.sub.claim.name", Text, "sub", Low, Guarded(NO_SASL),
        "Where a token names its user.";
    "sasl.oauthbearer.token.endpoint.url", Text, unset, Medium, Guarded(NO_SASL),
        "Where tokens are got.";
    "sasl.server.callback.handler.class", Class, unset, Medium, Guarded(NO_SASL),
        "Class that checks what clients send.";
    "sasl.server.max.receive.size", Int(ANY), "524288", Medium, Guarded(NO_SASL),
        "Largest message of a client that has not authenticated yet.";
};
