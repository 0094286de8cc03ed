//! Tiered storage: segments that move to a remote store. Switching it on stops the start; the rest has no effect without it.

use crate::config::property::Kind::*;
use crate::config::property::Status::*;
use crate::config::property::{Property, at_least, properties};

pub(super) static PROPERTIES: &[Property] = properties! {
    "remote.fetch.max.wait.ms", Int(at_least(1)), "500", Medium, AcceptedWithoutEffect,
        "Longest time a fetch waits for the remote store.";
    "remote.list.offsets.request.timeout.ms", Long(at_least(1)), "30000", Medium, AcceptedWithoutEffect,
        "Longest time a lookup of offsets waits for the remote store.";
    "remote.log.index.file.cache.total.size.bytes", Long(at_least(1)), "1073741824", Low, AcceptedWithoutEffect,
        "Bytes of remote indexes kept on local disk.";
    "remote.log.index.file.cache.ttl.ms", Long(at_least(-1)), "900000", Internal, AcceptedWithoutEffect,
        "How long a remote index stays on local disk.";
    "remote.log.manager.copier.thread.pool.size", Int(at_least(1)), "10", Medium, AcceptedWithoutEffect,
        "Threads that copy segments.";
    "remote.log.manager.copy.max.bytes.per.second", Long(at_least(1)), "9223372036854775807", Medium, AcceptedWithoutEffect,
        "Bytes a second copied to the remote store.";
    "remote.log.manager.copy.quota.window.num", Int(at_least(1)), "11", Medium, AcceptedWithoutEffect,
        "Windows over which the rate of copying is measured.";
    "remote.log.manager.copy.quota.window.size.seconds", Int(at_least(1)), "1", Medium, AcceptedWithoutEffect,
        "Length of one of those windows.";
    "remote.log.manager.expiration.thread.pool.size", Int(at_least(1)), "10", Medium, AcceptedWithoutEffect,
        "Threads that delete remote segments.";
    "remote.log.manager.fetch.max.bytes.per.second", Long(at_least(1)), "9223372036854775807", Medium, AcceptedWithoutEffect,
        "Bytes a second fetched from the remote store.";
    "remote.log.manager.fetch.quota.window.num", Int(at_least(1)), "11", Medium, AcceptedWithoutEffect,
        "Windows over which the rate of fetching is measured.";
    "remote.log.manager.fetch.quota.window.size.seconds", Int(at_least(1)), "1", Medium, AcceptedWithoutEffect,
        "Length of one of those windows.";
    "remote.log.manager.follower.thread.pool.size", Int(at_least(1)), "2", Medium, AcceptedWithoutEffect,
        "Threads that follow the remote state of partitions led elsewhere.";
    "remote.log.manager.task.interval.ms", Long(at_least(1)), "30000", Low, AcceptedWithoutEffect,
        "How often segments to copy and to delete are looked for.";
    "remote.log.manager.task.retry.backoff.max.ms", Long(at_least(1)), "30000", Internal, AcceptedWithoutEffect,
        "Longest pause before remote work is tried again.";
    "remote.log.manager.task.retry.backoff.ms", Long(at_least(1)), "500", Internal, AcceptedWithoutEffect,
        "First pause before remote work is tried again.";
    "remote.log.manager.task.retry.jitter", Double(0.0, 0.5), "0.2", Internal, AcceptedWithoutEffect,
        "Random part of those pauses.";
    "remote.log.manager.thread.pool.size", Int(at_least(1)), "2", Medium, AcceptedWithoutEffect,
        "Threads that plan remote work.";
    "remote.log.metadata.custom.metadata.max.bytes", Int(at_least(0)), "128", Low, AcceptedWithoutEffect,
        "Largest note that a remote store may keep with a segment.";
    "remote.log.metadata.manager.class.name", Text, "org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager", Medium, AcceptedWithoutEffect,
        "Class that keeps account of remote segments.";
    "remote.log.metadata.manager.class.path", Text, unset, Medium, AcceptedWithoutEffect,
        "Where that class is found.";
    "remote.log.metadata.manager.impl.prefix", Text, "rlmm.config.", Medium, AcceptedWithoutEffect,
        "Beginning of the names of its own properties.";
    "remote.log.metadata.manager.listener.name", Text, unset, Medium, AcceptedWithoutEffect,
        "Listener it uses to reach brokers.";
    "remote.log.reader.max.pending.tasks", Int(at_least(1)), "100", Medium, AcceptedWithoutEffect,
        "Remote reads that may wait.";
    "remote.log.reader.threads", Int(at_least(1)), "10", Medium, AcceptedWithoutEffect,
        "Threads that read from the remote store.";
    "remote.log.storage.manager.class.name", Text, unset, Medium, AcceptedWithoutEffect,
        "Class that talks to the remote store.";
    "remote.log.storage.manager.class.path", Text, unset, Medium, AcceptedWithoutEffect,
        "Where that class is found.";
    "remote.log.storage.manager.impl.prefix", Text, "rsm.config.", Medium, AcceptedWithoutEffect,
        "Beginning of the names of its own properties.";
    "remote.log.storage.system.enable", Boolean, "false", Medium, Guarded("tiered storage is not served yet, so segments would never leave this disk"),
        "Whether segments move to a remote store.";
};
