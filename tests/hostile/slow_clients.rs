//! Clients that are slow on purpose.
//!
//! Setup: clients that send one byte a second, or that ask for much and never read the answers, beside bystanders. Expectation: the
//! broker holds a bounded amount for each, and the bystanders are served at full speed.

use std::net::SocketAddr;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};
use vltava::wire::messages::api_versions::ApiVersionsRequest;

use crate::harness::batches::batch_of_bytes;
use crate::harness::broker::Broker;
use crate::harness::bystanders::Bystanders;
use crate::harness::requests::{FETCH, PRODUCE, fetch_partition, fetch_request, produce_request};
use crate::harness::serve::resident_bytes;
use crate::harness::wire_client::{WireClient, request_bytes};

const DRIPPING: Duration = Duration::from_secs(4);

#[test]
fn clients_that_send_a_byte_a_second_delay_nobody() {
    let broker = Broker::start(&[]);
    let bystanders = Bystanders::start(broker.port());
    let request = request_bytes(1, 0, &ApiVersionsRequest::default());
    let mut drips: Vec<WireClient> = (0..200)
        .map(|_| WireClient::connect(broker.port()))
        .collect();
    let began = Instant::now();
    for byte in &request {
        for client in &mut drips {
            client.send_bytes(&[*byte]);
        }
        bystanders.wait_for_more();
        if began.elapsed() > DRIPPING {
            break;
        }
        thread::sleep(Duration::from_secs(1));
    }
    drop(drips);
    bystanders.finish();
}

#[test]
fn clients_that_never_read_large_answers_delay_nobody_and_take_no_memory() {
    let broker = Broker::start(&[]);
    let bystanders = Bystanders::start(broker.port());
    let mut writer = WireClient::connect(broker.port());
    writer.create_topic("large", 2);
    for partition in [0, 1] {
        for _ in 0..20 {
            writer.write_batch("large", partition, &batch_of_bytes(900_000));
        }
    }
    let before = resident_bytes(broker.pid());
    let fetch = fetch_request("large", vec![fetch_partition(0, 0), fetch_partition(1, 0)]);
    let deaf: Vec<WireClient> = (0..100)
        .map(|_| {
            let mut client = WireClient::connect(broker.port());
            for _ in 0..30 {
                client.send(FETCH, &fetch);
            }
            client
        })
        .collect();
    bystanders.wait_for_more();
    let grown = resident_bytes(broker.pid()).saturating_sub(before);
    assert!(grown < 100 << 20, "{} MiB more", grown >> 20);
    // New clients are served too, on either core.
    for _ in 0..4 {
        let mut client = WireClient::connect(broker.port());
        client.assert_serves();
        assert_eq!(client.fetch("large", 1, 19).high_watermark, 20);
    }
    drop(deaf);
    bystanders.finish();
}

#[test]
fn clients_that_never_read_and_send_on_delay_nobody() {
    let broker = Broker::start(&[]);
    let bystanders = Bystanders::start(broker.port());
    let mut writer = WireClient::connect(broker.port());
    writer.create_topic("large", 1);
    for _ in 0..10 {
        writer.write_batch("large", 0, &batch_of_bytes(900_000));
    }
    let deaf = push_with(40, broker.port());
    bystanders.wait_for_more();
    let resident = resident_bytes(broker.pid());
    assert!(resident < 1 << 30, "{} MiB", resident >> 20);
    drop(deaf);
    bystanders.finish();
}

#[test]
fn clients_that_never_read_are_closed_when_others_need_their_memory() {
    let broker = Broker::start(&[]);
    let mut writer = WireClient::connect(broker.port());
    writer.create_topic("large", 1);
    for _ in 0..10 {
        writer.write_batch("large", 0, &batch_of_bytes(900_000));
    }
    // More than the memory of both cores; who is not served at once is served after a while.
    let deaf = push_with(120, broker.port());
    for _ in 0..8 {
        let mut client = WireClient::connect(broker.port());
        client.write("large", 0, &["small"]);
    }
    let resident = resident_bytes(broker.pid());
    assert!(resident < 1 << 30, "{} MiB", resident >> 20);
    drop(deaf);
}

#[test]
fn clients_that_never_read_cold_data_delay_nobody_who_reads_some() {
    const READERS: usize = 50;
    let broker = Broker::start(&[("socket.send.buffer.bytes", "65536")]);
    let bystanders = Bystanders::start(broker.port());
    let mut writer = WireClient::connect(broker.port());
    writer.create_topic("cold", READERS as i32 + 4);
    for partition in 0..READERS as i32 + 4 {
        writer.write_batch("cold", partition, &batch_of_bytes(900_000));
    }
    cool_down(&broker);
    let deaf: Vec<WireClient> = (0..READERS as i32)
        .map(|partition| {
            let mut client = connect_with_small_window(broker.port());
            client.send(
                FETCH,
                &fetch_request("cold", vec![fetch_partition(partition, 0)]),
            );
            client
        })
        .collect();
    bystanders.wait_for_more();
    for partition in 0..4 {
        let mut client = WireClient::connect(broker.port());
        let read = client.fetch("cold", READERS as i32 + partition, 0);
        assert!(read.records.len() > 900_000);
    }
    drop(deaf);
    bystanders.finish();
}

/// Writes the broker's files to the disk and takes them out of the page cache.
fn cool_down(broker: &Broker) {
    let segments = "find \"$0\" -name '*.log' -exec sync {} + \
                    -exec dd if={} of=/dev/null iflag=nocache count=0 status=none \\;";
    let cooled = Command::new("sh")
        .args(["-c", segments])
        .arg(broker.data_dir())
        .status();
    assert!(cooled.expect("sh is everywhere").success());
}

/// A client whose kernel takes little of an answer that it does not read.
fn connect_with_small_window(port: u16) -> WireClient {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket
        .set_recv_buffer_size(16 * 1024)
        .expect("a small buffer");
    let broker = SocketAddr::from(([127, 0, 0, 1], port));
    socket.connect(&broker.into()).expect("the broker accepts");
    WireClient::adopt(socket.into())
}

/// Clients that fetch "large" without reading the answers, and behind that have sent as many requests of a megabyte as the
/// broker takes.
fn push_with(clients: usize, port: u16) -> Vec<WireClient> {
    let fetch = fetch_request("large", vec![fetch_partition(0, 0)]);
    let fetch = request_bytes(1, FETCH, &fetch);
    let produce = produce_request("nowhere", 0, 1, &batch_of_bytes(900_000));
    let produce = request_bytes(2, PRODUCE, &produce);
    let pushing: Vec<_> = (0..clients)
        .map(|_| {
            let (fetch, produce) = (fetch.clone(), produce.clone());
            thread::spawn(move || push_until_stuck(port, &fetch, &produce))
        })
        .collect();
    pushing
        .into_iter()
        .map(|client| client.join().expect("pushing does not panic"))
        .collect()
}

/// Sends `fetch` some times and then `produce` until the broker takes no more.
fn push_until_stuck(port: u16, fetch: &[u8], produce: &[u8]) -> WireClient {
    use std::io::Write;
    let client = WireClient::connect(port);
    let mut stream = client.stream();
    let stuck = Duration::from_millis(500);
    stream.set_write_timeout(Some(stuck)).expect("a deadline");
    for _ in 0..10 {
        stream.write_all(fetch).expect("small requests are taken");
    }
    for _ in 0..100 {
        if stream.write_all(produce).is_err() {
            return client;
        }
    }
    panic!("a client that reads nothing may send without end");
}
