//! Logs on disk: directories, segments, flushing, retention, compaction. Most rows are the defaults of topic properties.

use crate::config::property::Kind::*;
use crate::config::property::Status::*;
use crate::config::property::{ANY, Property, at_least, properties};

pub(super) static PROPERTIES: &[Property] = properties! {
    "log.cleaner.backoff.ms", Long(at_least(0)), "15000", Medium, InForce,
        "Pause of compaction when no log needs it.";
    "log.cleaner.dedupe.buffer.size", Long(ANY), "134217728", Medium, InForce,
        "Memory for the keys that compaction remembers.";
    "log.cleaner.delete.retention.ms", Long(at_least(0)), "86400000", Medium, InForce,
        "Default of the topics' delete.retention.ms.";
    "log.cleaner.enable", Boolean, "true", Medium, InForce,
        "Whether compaction runs.";
    "log.cleaner.io.buffer.load.factor", Double(f64::MIN, f64::MAX), "0.9", Medium, InForce,
        "How full the table of keys may get.";
    "log.cleaner.io.buffer.size", Int(at_least(0)), "524288", Medium, InForce,
        "Buffer with which compaction reads and writes.";
    "log.cleaner.io.max.bytes.per.second", Double(f64::MIN, f64::MAX), "1.7976931348623157E308", Medium, InForce,
        "Bytes a second that compaction may read and write together.";
    "log.cleaner.max.compaction.lag.ms", Long(at_least(1)), "9223372036854775807", Medium, InForce,
        "Default of the topics' max.compaction.lag.ms.";
    "log.cleaner.min.cleanable.ratio", Double(0.0, 1.0), "0.5", Medium, InForce,
        "Default of the topics' min.cleanable.dirty.ratio.";
    "log.cleaner.min.compaction.lag.ms", Long(at_least(0)), "0", Medium, InForce,
        "Default of the topics' min.compaction.lag.ms.";
    "log.cleaner.threads", Int(at_least(0)), "1", Medium, InForce,
        "Threads of compaction, over all cores; 0 has none.";
    "log.cleanup.policy", ListOf(&["compact", "delete"]), "delete", Medium, InForce,
        "Default of the topics' cleanup.policy.";
    "log.dir", List, "/tmp/kafka-logs", High, InForce,
        "Data directory when log.dirs is not set.";
    "log.dir.failure.timeout.ms", Long(at_least(1)), "30000", Low, AcceptedWithoutEffect,
        "How long a broker with a failed directory waits for the controller to hear of it.";
    "log.dirs", List, unset, High, InForce,
        "Data directories. A new partition goes to the one with the fewest.";
    "log.flush.interval.messages", Long(at_least(1)), "9223372036854775807", High, InForce,
        "Default of the topics' flush.messages.";
    "log.flush.interval.ms", Long(ANY), unset, High, InForce,
        "Default of the topics' flush.ms; unset takes log.flush.scheduler.interval.ms.";
    "log.flush.offset.checkpoint.interval.ms", Int(at_least(0)), "60000", High, InForce,
        "How often the recovery points are written down; 0 is once, at the start.";
    "log.flush.scheduler.interval.ms", Long(ANY), "9223372036854775807", High, InForce,
        "Default of log.flush.interval.ms. Flushes are due by their own time, so nothing else is scheduled by it.";
    "log.flush.start.offset.checkpoint.interval.ms", Int(at_least(0)), "60000", High, InForce,
        "How often the log start offsets are written down, besides at once when DeleteRecords or retention has moved one; 0 is once, at the start.";
    "log.index.interval.bytes", Int(at_least(0)), "4096", Medium, InForce,
        "Default of the topics' index.interval.bytes.";
    "log.index.size.max.bytes", Int(at_least(4)), "10485760", Medium, InForce,
        "Default of the topics' segment.index.bytes.";
    "log.initial.task.delay.ms", Long(at_least(0)), "30000", Internal, InForce,
        "Time after the start at which segments are first looked at for deletion.";
    "log.local.retention.bytes", Long(at_least(-2)), "-2", Medium, AcceptedWithoutEffect,
        "Default of the topics' local.retention.bytes.";
    "log.local.retention.ms", Long(at_least(-2)), "-2", Medium, AcceptedWithoutEffect,
        "Default of the topics' local.retention.ms.";
    "log.message.timestamp.after.max.ms", Long(at_least(0)), "3600000", Medium, InForce,
        "Default of the topics' message.timestamp.after.max.ms.";
    "log.message.timestamp.before.max.ms", Long(at_least(0)), "9223372036854775807", Medium, InForce,
        "Default of the topics' message.timestamp.before.max.ms.";
    "log.message.timestamp.type", OneOf(&["CreateTime", "LogAppendTime"]), "CreateTime", Medium, InForce,
        "Default of the topics' message.timestamp.type.";
    "log.preallocate", Boolean, "false", Medium, InForce,
        "Default of the topics' preallocate.";
    "log.retention.bytes", Long(ANY), "-1", High, InForce,
        "Default of the topics' retention.bytes.";
    "log.retention.check.interval.ms", Long(at_least(1)), "300000", Medium, InForce,
        "How often segments are looked at for deletion by age and size.";
    "log.retention.hours", Int(ANY), "168", High, InForce,
        "Default of the topics' retention.ms, in hours; minutes and milliseconds go before it.";
    "log.retention.minutes", Int(ANY), unset, High, InForce,
        "Default of the topics' retention.ms, in minutes; milliseconds go before it.";
    "log.retention.ms", Long(ANY), unset, High, InForce,
        "Default of the topics' retention.ms; -1 is never.";
    "log.roll.hours", Int(at_least(1)), "168", High, InForce,
        "Default of the topics' segment.ms, in hours; log.roll.ms goes before it.";
    "log.roll.jitter.hours", Int(at_least(0)), "0", High, InForce,
        "Default of the topics' segment.jitter.ms, in hours; log.roll.jitter.ms goes before it.";
    "log.roll.jitter.ms", Long(at_least(0)), unset, High, InForce,
        "Default of the topics' segment.jitter.ms.";
    "log.roll.ms", Long(at_least(1)), unset, High, InForce,
        "Default of the topics' segment.ms.";
    "log.segment.bytes", Int(at_least(1_048_576)), "1073741824", High, InForce,
        "Default of the topics' segment.bytes.";
    "log.segment.delete.delay.ms", Long(at_least(0)), "60000", High, InForce,
        "Default of the topics' file.delete.delay.ms.";
    "message.max.bytes", Int(at_least(0)), "1048588", High, InForce,
        "Default of the topics' max.message.bytes.";
    "num.recovery.threads.per.data.dir", Int(at_least(1)), "2", High, InForce,
        "Threads that open and recover logs at the start; there is at least one a core.";
    "num.replica.alter.log.dirs.threads", Int(ANY), unset, High, AcceptedWithoutEffect,
        "Threads that move replicas between data directories.";
    "producer.id.expiration.check.interval.ms", Int(at_least(1)), "600000", Internal, AcceptedWithoutEffect,
        "How often forgotten producers are looked for.";
    "producer.id.expiration.ms", Int(at_least(1)), "86400000", Low, InForce,
        "Time without a batch after which an idempotent producer's sequence is forgotten.";
};
