//! Core listeners: unmodified clients talk to the core that owns a partition, and see one node a core.
//!
//! Setup: a broker of two cores with `core.listeners`, the real clients, and requests by hand. Expectation: all that names nodes agrees at
//! every address of such a listener; nothing that clients ask of partitions and groups crosses the mesh; the metadata knows the broker
//! alone; and whoever asks the wrong core is served all the same.

#[path = "../harness/mod.rs"]
mod harness;

mod clients;
mod ids;
mod nodes;
mod serving;

use harness::broker::Broker;
use harness::serve::Serve;
use harness::wire_client::WireClient;
use vltava::wire::ErrorCode;
use vltava::wire::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use vltava::wire::messages::metadata::{
    MetadataRequest, MetadataRequestTopic, MetadataResponse, MetadataResponsePartition,
};

/// What both cores of node 1 are to clients.
const CORES: [i32; 2] = [2_000_001_000, 2_000_001_001];

/// Each core takes a free port.
const CORE_LISTENERS: (&str, &str) = ("core.listeners", "PLAINTEXT://:0");

fn start(more: &[(&str, &str)]) -> Broker {
    let quick = ("group.initial.rebalance.delay.ms", "100");
    Broker::start(&[&[quick], more].concat())
}

fn metadata(client: &mut WireClient, topic: &str) -> MetadataResponse {
    let request = MetadataRequest {
        topics: Some(vec![MetadataRequestTopic {
            name: Some(topic.into()),
            ..MetadataRequestTopic::default()
        }]),
        allow_auto_topic_creation: false,
        ..MetadataRequest::default()
    };
    client.call(12, &request)
}

fn partitions(client: &mut WireClient, topic: &str) -> Vec<MetadataResponsePartition> {
    metadata(client, topic).topics.remove(0).partitions
}

/// The port of each node, in the order of their ids.
fn ports(client: &mut WireClient) -> Vec<(i32, u16)> {
    let brokers = metadata(client, "t").brokers;
    let port = |port: i32| u16::try_from(port).expect("a port");
    brokers.iter().map(|b| (b.node_id, port(b.port))).collect()
}

/// One connection to the listener itself and one to each core.
fn connections(broker: &Broker) -> Vec<WireClient> {
    let mut clients = vec![WireClient::connect(broker.port())];
    let cores = ports(&mut clients[0]);
    clients.extend(cores.iter().map(|(_, port)| WireClient::connect(*port)));
    clients
}

fn set(client: &mut WireClient, kind: i8, name: &str, key: &str, value: &str) -> ErrorCode {
    let request = IncrementalAlterConfigsRequest {
        resources: vec![AlterConfigsResource {
            resource_type: kind,
            resource_name: name.into(),
            configs: vec![AlterableConfig {
                name: key.into(),
                config_operation: 0,
                value: Some(value.into()),
            }],
        }],
        ..IncrementalAlterConfigsRequest::default()
    };
    client.call(1, &request).responses[0].error_code
}

/// `serve` on the broker's directory with one core, at free ports.
fn on_one_core(broker: &Broker, more: &[&str]) -> Vec<String> {
    let dir = broker.data_dir().display().to_string();
    let fixed = ["--listen", "127.0.0.1:0", "--data-dir", &dir];
    let arguments = fixed.iter().chain(more);
    arguments.map(ToString::to_string).collect()
}

fn connected(mut broker: Serve) -> (Serve, WireClient) {
    let port = Serve::port_in(&broker.ready());
    (broker, WireClient::connect(port))
}
