//! Frames that no client would send.
//!
//! Setup: a broker with bystanders. Expectation: a length that cannot be is answered by closing the connection before any memory
//! is taken for it; a frame that is cut short is no request; the bystanders notice nothing.

use crate::harness::broker::Broker;
use crate::harness::bystanders::Bystanders;
use crate::harness::requests::{ALL, PRODUCE, produce_request};
use crate::harness::serve::resident_bytes;
use crate::harness::wire_client::{WireClient, request_bytes};
use crate::harness::{batches, wire_client};

#[test]
fn a_negative_frame_length_closes_the_connection() {
    let broker = Broker::start(&[]);
    let bystanders = Bystanders::start(broker.port());
    for length in [-1, i32::MIN] {
        let mut client = WireClient::connect(broker.port());
        client.assert_serves();
        client.send_bytes(&length.to_be_bytes());
        client.assert_closed(&format!("length {length}"));
    }
    bystanders.finish();
}

#[test]
fn a_frame_longer_than_allowed_closes_the_connection_before_memory_is_taken() {
    let broker = Broker::start(&[]);
    let bystanders = Bystanders::start(broker.port());
    let before = resident_bytes(broker.pid());
    for length in [100 * 1024 * 1024 + 1, i32::MAX] {
        for _ in 0..20 {
            let mut client = WireClient::connect(broker.port());
            client.send_bytes(&length.to_be_bytes());
            client.assert_closed(&format!("length {length}"));
        }
    }
    let grown = resident_bytes(broker.pid()).saturating_sub(before);
    assert!(grown < 16 << 20, "{grown} bytes more");
    bystanders.finish();
}

#[test]
fn the_largest_allowed_frame_is_what_the_property_says() {
    let broker = Broker::start(&[("socket.request.max.bytes", "1000")]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("small", 1);
    client.write("small", 0, &["fits"]);
    let batch = batches::batch_of_bytes(1000);
    client.send(PRODUCE, &produce_request("small", 0, ALL, &batch));
    client.assert_closed("a request over socket.request.max.bytes");
    let mut reader = WireClient::connect(broker.port());
    assert_eq!(reader.read_all("small", 0), [(0, "fits".to_owned())]);
}

#[test]
fn a_frame_too_short_for_a_header_closes_the_connection() {
    let broker = Broker::start(&[]);
    let bystanders = Bystanders::start(broker.port());
    for bytes in 0..10 {
        let mut client = WireClient::connect(broker.port());
        client.send_bytes(&wire_client::frame(&vec![0; bytes]));
        client.assert_closed(&format!("a frame of {bytes} bytes"));
    }
    bystanders.finish();
}

#[test]
fn a_frame_that_ends_early_changes_nothing() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("torn", 1);
    client.write("torn", 0, &["whole"]);
    let request = produce_request("torn", 0, ALL, &batches::batch(&["never arrives whole"]));
    let request = request_bytes(1, PRODUCE, &request);
    for kept in [1, 3, 4, 5, 20, request.len() - 1] {
        let mut client = WireClient::connect(broker.port());
        client.send_bytes(&request[..kept]);
        client.finish_sending();
        client.assert_closed(&format!("{kept} bytes of {}", request.len()));
    }
    assert_eq!(client.read_all("torn", 0), [(0, "whole".to_owned())]);
}

#[test]
fn a_request_that_arrives_byte_by_byte_is_served() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("crumbs", 1);
    let request = produce_request("crumbs", 0, ALL, &batches::batch(&["in crumbs"]));
    for byte in request_bytes(1, PRODUCE, &request) {
        client.send_bytes(&[byte]);
    }
    client.read_frame();
    assert_eq!(client.read_all("crumbs", 0), [(0, "in crumbs".to_owned())]);
}
