//! Each checkpoint file is written by its own interval.
//!
//! Setup: a broker with one interval short and the others so long that they do not come. Expectation: the file of the short one
//! follows the log, again after it is removed; the others are not written until the stop.

mod harness;

use std::fs;

use harness::broker::Broker;
use harness::wire_client::{WireClient, wait_until};
use vltava::wire::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};

const RECOVERY_POINTS: (&str, &str) = (
    "recovery-point-offset-checkpoint",
    "log.flush.offset.checkpoint.interval.ms",
);
const HIGH_WATERMARKS: (&str, &str) = (
    "replication-offset-checkpoint",
    "replica.high.watermark.checkpoint.interval.ms",
);
const LOG_STARTS: (&str, &str) = (
    "log-start-offset-checkpoint",
    "log.flush.start.offset.checkpoint.interval.ms",
);
const ALL: [(&str, &str); 3] = [RECOVERY_POINTS, HIGH_WATERMARKS, LOG_STARTS];
const OFTEN: &str = "50";
const NEVER: &str = "3600000";

/// A broker with two records in `t-0` that are synced, the first of them deleted; only `often` is written by time.
fn broker_with_records(often: (&str, &str)) -> Broker {
    let interval = |(file, property)| (property, if file == often.0 { OFTEN } else { NEVER });
    let mut settings = ALL.map(interval).to_vec();
    settings.push(("log.flush.interval.messages", "1"));
    let broker = Broker::start(&settings);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("t", 1);
    client.write("t", 0, &["a"]);
    client.write("t", 0, &["b"]);
    let first = DeleteRecordsPartition {
        partition_index: 0,
        offset: 1,
    };
    let request = DeleteRecordsRequest {
        topics: vec![DeleteRecordsTopic {
            name: "t".into(),
            partitions: vec![first],
        }],
        timeout_ms: 30_000,
    };
    let answer = client.call(2, &request);
    assert_eq!(answer.topics[0].partitions[0].low_watermark, 1);
    broker
}

fn has(broker: &Broker, file: &str, entry: &str) -> bool {
    let text = fs::read_to_string(broker.data_dir().join(file)).unwrap_or_default();
    text.lines().any(|line| line == entry)
}

fn only_its_file_follows(often: (&str, &str), entry: &str) {
    let mut broker = broker_with_records(often);
    let (file, _) = often;
    wait_until("the checkpoint is written", || has(&broker, file, entry));
    // DeleteRecords has written the log start by itself.
    for (file, _) in ALL {
        let _ = fs::remove_file(broker.data_dir().join(file));
    }
    wait_until("it is written again", || has(&broker, file, entry));
    for (other, _) in ALL.into_iter().filter(|other| *other != often) {
        let path = broker.data_dir().join(other);
        assert!(!path.exists(), "{other} has an interval of an hour");
    }
    assert!(broker.stop().success());
    for (file, entry) in [
        (RECOVERY_POINTS.0, "t 0 2"),
        (HIGH_WATERMARKS.0, "t 0 2"),
        (LOG_STARTS.0, "t 0 1"),
    ] {
        assert!(has(&broker, file, entry), "{file} after a clean stop");
    }
}

#[test]
fn recovery_points_follow_their_interval() {
    only_its_file_follows(RECOVERY_POINTS, "t 0 2");
}

#[test]
fn high_watermarks_follow_their_interval() {
    only_its_file_follows(HIGH_WATERMARKS, "t 0 2");
}

#[test]
fn log_starts_follow_their_interval() {
    only_its_file_follows(LOG_STARTS, "t 0 1");
}
