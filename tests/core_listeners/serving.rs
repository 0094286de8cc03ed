//! Who is served where, and starts that are refused.

use super::harness::serve::{Serve, refusal};
use super::harness::wire_client::WireClient;
use super::{CORE_LISTENERS, CORES, connected, connections, on_one_core, partitions, ports, start};
use std::net::TcpListener;
use vltava::wire::ErrorCode;

#[test]
fn every_core_serves_every_partition_and_group_whoever_owns_them() {
    let broker = start(&[CORE_LISTENERS]);
    let mut clients = connections(&broker);
    clients[0].create_topic("t", 2);
    clients[0].need_coordinator();
    for (n, client) in clients.iter_mut().enumerate() {
        for partition in 0..2 {
            let offset = client.write("t", partition, &["v"]);
            assert_eq!(offset, n as i64);
            assert_eq!(client.read_all("t", partition).len(), n + 1);
        }
        for group in ["a", "b"] {
            let member = client.join_alone(&format!("{group}{n}"));
            assert_eq!(client.commit(&member, 7), ErrorCode::NONE);
        }
    }
}

#[test]
fn with_another_number_of_cores_the_same_partitions_have_other_addresses() {
    let mut broker = start(&[CORE_LISTENERS]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("t", 4);
    for partition in 0..4 {
        client.write("t", partition, &["before"]);
    }
    assert!(broker.stop().success());
    let one = Serve::spawn(&on_one_core(&broker, &["--core-listeners"]), &[]);
    let (_one, mut client) = connected(one);
    let nodes = ports(&mut client);
    assert_eq!(
        nodes.iter().map(|(id, _)| *id).collect::<Vec<_>>(),
        [CORES[0]]
    );
    let mut core = WireClient::connect(nodes[0].1);
    for partition in partitions(&mut core, "t") {
        assert_eq!(partition.leader_id, CORES[0]);
        assert_eq!(core.read_all("t", partition.partition_index).len(), 1);
    }
}

#[test]
fn a_listener_without_core_listeners_knows_the_broker_alone() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let dir = dir.path().display().to_string();
    let two = "listeners=PLAINTEXT://127.0.0.1:0,INSIDE://127.0.0.1:0";
    let map = "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,INSIDE:PLAINTEXT";
    let mut broker = Serve::spawn(
        &[
            "--data-dir",
            &dir,
            "--override",
            two,
            "--override",
            map,
            "--core-listeners=INSIDE",
        ],
        &[],
    );
    let ready = broker.ready();
    let mut plain = WireClient::connect(Serve::port_in(&ready));
    assert_eq!(ports(&mut plain), [(1, Serve::port_in(&ready))]);
    let (_, inside) = ready
        .split_once("INSIDE://127.0.0.1:")
        .expect("its address");
    let numbers = inside
        .split(|c: char| !c.is_ascii_digit())
        .filter(|n| !n.is_empty());
    let numbers: Vec<u16> = numbers
        .take(2)
        .map(|n| n.parse().expect("a port"))
        .collect();
    assert_eq!(
        ports(&mut WireClient::connect(numbers[0])),
        [(CORES[0], numbers[1])]
    );
}

#[test]
fn what_cannot_be_is_refused_with_a_sentence() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let dir = dir.path().display().to_string();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("bound").port();
    let refused = |arguments: &[&str], words: &str| {
        let log = refusal(&[&["--data-dir", &dir, "--listen", "127.0.0.1:0"], arguments].concat());
        assert!(log.contains(words), "{arguments:?}: {log}");
    };
    let at = format!("--core-listeners=PLAINTEXT://:{port}");
    refused(
        &[&at],
        &format!("127.0.0.1:{port} is in use by another program"),
    );
    refused(&["--core-listeners=OTHER"], "nothing listens as OTHER");
    let id = ["--core-listeners", "--override", "node.id=100000"];
    refused(&id, "node.id=100000 leaves no ids for core listeners");
    let (a, b) = (format!("127.0.0.1:{port}"), "127.0.0.1:65535");
    let log = refusal(&[
        "--data-dir",
        &dir,
        "--listen",
        &a,
        "--listen",
        b,
        "--core-listeners",
    ]);
    assert!(
        log.contains("there are not enough ports for the cores"),
        "{log}"
    );
}
