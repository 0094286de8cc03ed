//! `ulimit -f`: files that may not grow further are a full disk, not the end of the broker.

use std::process::Command;

use vltava::wire::ErrorCode;

use crate::harness::broker::Broker;
use crate::harness::wire_client::WireClient;
use crate::place::{Book, large_batch};

const TOPIC: &str = "t";

fn limit_files(broker: &Broker, most: &str) {
    let pid = broker.pid().to_string();
    let limited = Command::new("prlimit")
        .args(["--pid", &pid, &format!("--fsize={most}:unlimited")])
        .status();
    assert!(limited.expect("prlimit is everywhere").success());
}

#[test]
fn files_that_may_not_grow_are_a_full_disk_and_not_the_end_of_the_broker() {
    let mut broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic(TOPIC, 1);
    client.create_topic("u", 1);
    let mut book = Book::default();
    book.write_all(&mut client, TOPIC, 3);
    limit_files(&broker, "400000");
    book.write_until_full(&mut client, TOPIC);
    assert!(broker.is_running());
    book.check(&mut client, TOPIC);
    // Another file has room of its own.
    client.write_batch("u", 0, &large_batch());
    limit_files(&broker, "unlimited");
    book.write_all(&mut client, TOPIC, 10);
    limit_files(&broker, "0");
    let refused = client.try_create(crate::harness::requests::new_topic("v", 1, &[]));
    assert_eq!(refused.error_code, ErrorCode::KAFKA_STORAGE_ERROR);
    limit_files(&broker, "unlimited");
    client.create_topic("v", 1);
    broker.kill();
    broker.restart();
    book.check(&mut WireClient::connect(broker.port()), TOPIC);
}
