//! Metrics, quotas of clients, and the housekeeping of waiting requests.

use crate::config::property::Kind::*;
use crate::config::property::Status::*;
use crate::config::property::{ANY, Property, at_least, properties};

pub(super) static PROPERTIES: &[Property] = properties! {
    "client.quota.callback.class", Class, unset, Low, Guarded("quotas are not enforced yet"),
        "Class that sets the quotas of clients.";
    "delete.records.purgatory.purge.interval.requests", Int(ANY), "1", Medium, AcceptedWithoutEffect,
        "Finished deletions of records after which the waiting ones are tidied; here they go at once.";
    "fetch.purgatory.purge.interval.requests", Int(ANY), "1000", Medium, AcceptedWithoutEffect,
        "Finished fetches after which the waiting ones are tidied; here they go at once.";
    "kafka.metrics.polling.interval.secs", Int(at_least(1)), "10", Low, AcceptedWithoutEffect,
        "How often the older metrics reporters are asked.";
    "kafka.metrics.reporters", List, "", Low, AcceptedWithoutEffect,
        "Classes that report the older metrics; this broker loads none.";
    "metric.reporters", List, "org.apache.kafka.common.metrics.JmxReporter", Low, AcceptedWithoutEffect,
        "Classes that report metrics; this broker loads none.";
    "metrics.num.samples", Int(at_least(1)), "2", Low, AcceptedWithoutEffect,
        "Samples over which a metric is computed.";
    "metrics.recording.level", Text, "INFO", Low, AcceptedWithoutEffect,
        "How much is measured: INFO, DEBUG or TRACE.";
    "metrics.sample.window.ms", Long(at_least(1)), "30000", Low, AcceptedWithoutEffect,
        "Length of one of those samples.";
    "producer.purgatory.purge.interval.requests", Int(ANY), "1000", Medium, AcceptedWithoutEffect,
        "Finished produces after which the waiting ones are tidied; here they go at once.";
    "quota.window.num", Int(at_least(1)), "11", Low, AcceptedWithoutEffect,
        "Windows over which the rates of clients are measured.";
    "quota.window.size.seconds", Int(at_least(1)), "1", Low, AcceptedWithoutEffect,
        "Length of one of those windows.";
    "telemetry.max.bytes", Int(at_least(1)), "1048576", Low, AcceptedWithoutEffect,
        "Largest report of a client's own metrics.";
};
