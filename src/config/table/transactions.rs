//! Transactions and the topic that keeps their state.

use crate::config::property::Kind::*;
use crate::config::property::Status::*;
use crate::config::property::{Property, at_least, properties};

pub(super) static PROPERTIES: &[Property] = properties! {
    "add.partitions.to.txn.retry.backoff.max.ms", Int(at_least(0)), "100", High, InForce,
        "Longest pause before a partition is added to a transaction again.";
    "add.partitions.to.txn.retry.backoff.ms", Int(at_least(1)), "20", High, InForce,
        "First pause before a partition is added to a transaction again.";
    "transaction.abort.timed.out.transaction.cleanup.interval.ms", Int(at_least(1)), "10000", Low, InForce,
        "How often transactions that took too long are looked for.";
    "transaction.max.timeout.ms", Int(at_least(1)), "900000", High, InForce,
        "Longest time a producer may ask for a transaction.";
    "transaction.partition.verification.enable", Boolean, "true", Low, InForce,
        "Whether a partition checks with the coordinator that a transaction is open.";
    "transaction.remove.expired.transaction.cleanup.interval.ms", Int(at_least(1)), "3600000", Low, InForce,
        "How often expired transactional ids are looked for.";
    "transaction.state.log.load.buffer.size", Int(at_least(1)), "5242880", High, InForce,
        "Bytes read at once when transactions are loaded.";
    "transaction.state.log.min.isr", Int(at_least(1)), "2", High, InForce,
        "In-sync replicas the transaction topic asks for.";
    "transaction.state.log.num.partitions", Int(at_least(1)), "50", High, InForce,
        "Partitions of the transaction topic; not to be changed once it is there.";
    "transaction.state.log.replication.factor", Short(at_least(1)), "3", High, InForce,
        "Replicas of the transaction topic.";
    "transaction.state.log.segment.bytes", Int(at_least(1)), "104857600", High, InForce,
        "Segment size of the transaction topic.";
    "transaction.two.phase.commit.enable", Boolean, "false", Low, Guarded("transactions that take part in another system's commit are not served yet"),
        "Whether a transaction may stay open until another system has decided.";
    "transactional.id.expiration.ms", Int(at_least(1)), "604800000", High, InForce,
        "Time without use after which a transactional id is forgotten.";
};
