//! Very many connections that do next to nothing.
//!
//! Setup: ten thousand connections that have sent half a request, or a thousand that announce a hundred megabytes each, beside
//! bystanders. Expectation: some kilobytes of memory for each, and the bystanders are served all the while.

use std::net::TcpStream;
use std::process::Command;

use vltava::wire::ApiKey;

use crate::harness::broker::Broker;
use crate::harness::bystanders::Bystanders;
use crate::harness::serve::resident_bytes;
use crate::harness::wire_client::{WireClient, request_header, wait_until};

const HALF_OPEN: usize = 10_000;
const MEMORY_EACH_BYTES: u64 = 64 * 1024;

/// More than enough for the connections of either side; the broker inherits the limit.
const DESCRIPTORS: usize = HALF_OPEN + 5_000;

const ANNOUNCERS: usize = 3_000;
const ANNOUNCED_BYTES: i32 = 100 << 20;

#[test]
fn ten_thousand_half_open_connections_cost_little_and_stop_nobody() {
    allow_descriptors();
    let broker = Broker::start(&[("socket.listen.backlog.size", "4096")]);
    let bystanders = Bystanders::start(broker.port());
    let before = resident_bytes(broker.pid());
    // The length of a request and its first bytes.
    let half = [
        &100_i32.to_be_bytes()[..],
        &request_header(ApiKey::Metadata as i16, 1),
    ]
    .concat();
    let crowd: Vec<WireClient> = (0..HALF_OPEN)
        .map(|_| {
            let mut client = WireClient::connect(broker.port());
            client.send_bytes(&half);
            client
        })
        .collect();
    wait_until("the crowd's admission", || {
        descriptors(&broker) >= HALF_OPEN
    });
    bystanders.wait_for_more();
    let each = resident_bytes(broker.pid()).saturating_sub(before) / HALF_OPEN as u64;
    assert!(each < MEMORY_EACH_BYTES, "{each} bytes a connection");
    WireClient::connect(broker.port()).assert_serves();
    drop(crowd);
    bystanders.finish();
}

#[test]
fn announcements_of_large_frames_take_no_memory_and_block_nobody() {
    allow_descriptors();
    let broker = Broker::start(&[("socket.listen.backlog.size", "4096")]);
    let bystanders = Bystanders::start(broker.port());
    let before = resident_bytes(broker.pid());
    let announced = [&ANNOUNCED_BYTES.to_be_bytes()[..], &[0; 60]].concat();
    let crowd: Vec<WireClient> = (0..ANNOUNCERS)
        .map(|_| {
            let mut client = WireClient::connect(broker.port());
            client.send_bytes(&announced);
            client
        })
        .collect();
    wait_until("the crowd's admission", || {
        descriptors(&broker) >= ANNOUNCERS
    });
    bystanders.wait_for_more();
    let each = resident_bytes(broker.pid()).saturating_sub(before) / ANNOUNCERS as u64;
    assert!(each < MEMORY_EACH_BYTES, "{each} bytes a connection");
    // A large request of an honest client gets through too.
    let mut honest = WireClient::connect(broker.port());
    honest.create_topic("large", 1);
    let batch = crate::harness::batches::batch_of_bytes(900_000);
    honest.write_batch("large", 0, &batch);
    drop(crowd);
    bystanders.finish();
}

#[test]
fn connections_that_are_left_are_forgotten() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    client.assert_serves();
    let before = descriptors(&broker);
    let crowd: Vec<TcpStream> = (0..500)
        .map(|_| TcpStream::connect(("127.0.0.1", broker.port())).expect("accepted"))
        .collect();
    wait_until("the crowd's descriptors", || {
        descriptors(&broker) >= before + 490
    });
    drop(crowd);
    wait_until("the descriptors' end", || {
        descriptors(&broker) <= before + 5
    });
}

/// What the broker has open: a connection is one.
fn descriptors(broker: &Broker) -> usize {
    let open = std::fs::read_dir(format!("/proc/{}/fd", broker.pid()));
    open.expect("a running process").count()
}

/// Raises the soft limit of this process, and so of the broker that it starts.
fn allow_descriptors() {
    let own = std::process::id().to_string();
    let limit = format!("--nofile={DESCRIPTORS}:");
    let raised = Command::new("prlimit")
        .args(["--pid", &own, &limit])
        .output();
    let raised = raised.expect("prlimit is part of util-linux");
    assert!(
        raised.status.success(),
        "the hard limit of open files is below {DESCRIPTORS}: {}",
        String::from_utf8_lossy(&raised.stderr)
    );
}
