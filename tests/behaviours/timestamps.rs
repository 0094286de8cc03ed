//! Topics of append times: the broker's clock in place of the producers'.
//!
//! Setup: a topic with `message.timestamp.type=LogAppendTime` and a batch of old timestamps. Expectation: the answer, the batch and every
//! look-up say when it was appended.

use vltava::wire::ErrorCode;
use vltava::wire::records::{Scratch, TimestampType, batches};

use crate::harness::batches::batch_at;
use crate::harness::broker::Broker;
use crate::harness::record::now_ms;
use crate::harness::requests::{LIST_OFFSETS, data_of};
use crate::harness::wire_client::WireClient;

#[test]
fn every_record_of_a_batch_has_the_time_of_its_append() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic_with("t", 1, &[("message.timestamp.type", "LogAppendTime")]);
    let before = now_ms();
    let answer = client.produce("t", 0, &batch_at(&[1, 3, 2]));
    let after = now_ms();
    assert_eq!(answer.error_code, ErrorCode::NONE);
    let appended = answer.log_append_time_ms;
    assert!(
        (before..=after).contains(&appended),
        "{before} {appended} {after}"
    );

    let data = data_of(&client.fetch("t", 0, 0));
    let batch = batches(data).next().expect("a batch").expect("a batch");
    let attributes = batch.header().attributes();
    assert_eq!(attributes.timestamp_type(), TimestampType::LogAppendTime);
    assert_eq!(batch.header().max_timestamp(), appended);
    // The checksum is right: the records are read through it.
    let records = batch
        .records(1 << 20, &mut Scratch::default())
        .expect("records");
    for record in &records {
        assert_eq!(record.expect("a record").timestamp, appended);
    }

    let found = client.list_offset(LIST_OFFSETS, "t", 0, before - 1);
    assert_eq!((found.offset, found.timestamp), (0, appended));
    let found = client.list_offset(LIST_OFFSETS, "t", 0, appended + 1);
    assert_eq!((found.offset, found.timestamp), (-1, -1));
}

#[test]
fn limits_on_timestamps_are_not_about_append_times() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    let configs = [
        ("message.timestamp.type", "LogAppendTime"),
        ("message.timestamp.before.max.ms", "1000"),
    ];
    client.create_topic_with("t", 1, &configs);
    client.write_batch("t", 0, &batch_at(&[1]));
}
