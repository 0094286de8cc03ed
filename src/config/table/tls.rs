//! TLS. Not served yet: every value but the default stops the start.

use crate::config::property::Kind::*;
use crate::config::property::Status::*;
use crate::config::property::{Property, properties};

const NO_TLS: &str = "TLS is not served yet, so nothing would be encrypted or checked";

pub(super) static PROPERTIES: &[Property] = properties! {
    "ssl.allow.dn.changes", Boolean, "false", Low, Guarded(NO_TLS),
        "Whether a new certificate may have another name.";
    "ssl.allow.san.changes", Boolean, "false", Low, Guarded(NO_TLS),
        "Whether a new certificate may have other alternative names.";
    "ssl.cipher.suites", List, "", Medium, Guarded(NO_TLS),
        "Cipher suites that are allowed; empty is every one.";
    "ssl.client.auth", OneOf(&["required", "requested", "none"]), "none", Medium, Guarded(NO_TLS),
        "Whether clients must show a certificate.";
    "ssl.enabled.protocols", List, "TLSv1.2,TLSv1.3", Medium, Guarded(NO_TLS),
        "Versions of TLS that are allowed.";
    "ssl.endpoint.identification.algorithm", Text, "https", Low, Guarded(NO_TLS),
        "How the name in a certificate is checked.";
    "ssl.engine.factory.class", Class, unset, Low, Guarded(NO_TLS),
        "Class that makes TLS engines.";
    "ssl.key.password", Password, unset, Medium, Guarded(NO_TLS),
        "Password of the private key.";
    "ssl.keymanager.algorithm", Text, "SunX509", Medium, Guarded(NO_TLS),
        "Algorithm of the key manager.";
    "ssl.keystore.certificate.chain", Password, unset, Medium, Guarded(NO_TLS),
        "Certificates of the broker, as text.";
    "ssl.keystore.key", Password, unset, Medium, Guarded(NO_TLS),
        "Private key of the broker, as text.";
    "ssl.keystore.location", Text, unset, Medium, Guarded(NO_TLS),
        "File with the broker's key and certificates.";
    "ssl.keystore.password", Password, unset, Medium, Guarded(NO_TLS),
        "Password of that file.";
    "ssl.keystore.type", Text, "JKS", Medium, Guarded(NO_TLS),
        "Format of that file.";
    "ssl.principal.mapping.rules", Text, "DEFAULT", Low, Guarded(NO_TLS),
        "How a name in a certificate becomes a user.";
    "ssl.protocol", Text, "TLSv1.3", Medium, Guarded(NO_TLS),
        "Version of TLS that is made.";
    "ssl.provider", Text, unset, Medium, Guarded(NO_TLS),
        "Java provider of TLS.";
    "ssl.secure.random.implementation", Text, unset, Low, Guarded(NO_TLS),
        "Source of random numbers.";
    "ssl.trustmanager.algorithm", Text, "PKIX", Medium, Guarded(NO_TLS),
        "Algorithm of the trust manager.";
    "ssl.truststore.certificates", Password, unset, Medium, Guarded(NO_TLS),
        "Certificates that are trusted, as text.";
    "ssl.truststore.location", Text, unset, Medium, Guarded(NO_TLS),
        "File with certificates that are trusted.";
    "ssl.truststore.password", Password, unset, Medium, Guarded(NO_TLS),
        "Password of that file.";
    "ssl.truststore.type", Text, "JKS", Medium, Guarded(NO_TLS),
        "Format of that file.";
};
