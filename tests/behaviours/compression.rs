//! `compression.type`: what codec a batch is stored and served in.
//!
//! Setup: topics of each type, batches of each codec. Expectation: the records come back as they were sent, in the topic's codec, and clients
//! that do not know it are told so.

use vltava::wire::ErrorCode;
use vltava::wire::messages::fetch::FetchPartition;
use vltava::wire::records::{BatchBuilder, Codec, Scratch, read};

use crate::harness::broker::Broker;
use crate::harness::requests::{data_of, fetch_partition, fetch_request, only_partition};
use crate::harness::wire_client::WireClient;

const TYPES: [(&str, Option<Codec>); 6] = [
    ("producer", None),
    ("uncompressed", Some(Codec::None)),
    ("gzip", Some(Codec::Gzip)),
    ("snappy", Some(Codec::Snappy)),
    ("lz4", Some(Codec::Lz4)),
    ("zstd", Some(Codec::Zstd)),
];

fn batch(codec: Codec) -> bytes::Bytes {
    let mut builder = BatchBuilder::new(codec);
    for number in 0..20 {
        let value = format!("{number} {}", "river ".repeat(50));
        builder.append(
            1_700_000_000_000 + number,
            Some(b"key"),
            Some(value.as_bytes()),
            &[("h", None)],
        );
    }
    builder.build()
}

/// Offset, timestamp, key and value of a record.
type Stored = (i64, i64, Vec<u8>, Vec<u8>);

/// The records of the stored batches, and the batches' codecs.
fn stored(client: &mut WireClient, topic: &str) -> (Vec<Stored>, Vec<Codec>) {
    let data = data_of(&client.fetch(topic, 0, 0));
    let (mut records, mut codecs) = (Vec::new(), Vec::new());
    for batch in read::batches(data) {
        let batch = batch.expect("a whole batch");
        codecs.push(batch.header().attributes().codec().expect("a known codec"));
        let read = batch.records(1 << 20, &mut Scratch::default());
        for record in &read.expect("records that inflate") {
            let record = record.expect("a record");
            let field = |field: Option<&[u8]>| field.expect("no null").to_vec();
            records.push((
                record.offset.0,
                record.timestamp,
                field(record.key),
                field(record.value),
            ));
        }
    }
    (records, codecs)
}

#[test]
fn a_batch_is_stored_in_the_topics_codec_and_its_records_stay_as_they_are() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    for (name, expected) in TYPES {
        client.create_topic_with(name, 1, &[("compression.type", name)]);
        for codec in Codec::ALL {
            client.write_batch(name, 0, &batch(codec));
        }
        let (records, codecs) = stored(&mut client, name);
        let wanted: Vec<Codec> = Codec::ALL.map(|sent| expected.unwrap_or(sent)).to_vec();
        assert_eq!(codecs, wanted, "{name}");
        assert_eq!(records.len(), 100, "{name}");
        for (at, (offset, timestamp, key, value)) in records.iter().enumerate() {
            let number = at as i64 % 20;
            assert_eq!(
                (*offset, *timestamp),
                (at as i64, 1_700_000_000_000 + number)
            );
            assert_eq!(key, b"key");
            assert_eq!(
                value,
                format!("{number} {}", "river ".repeat(50)).as_bytes()
            );
        }
    }
}

#[test]
fn a_batch_that_is_too_large_in_the_topics_codec_is_refused() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    let settings = [
        ("compression.type", "uncompressed"),
        ("max.message.bytes", "2000"),
    ];
    client.create_topic_with("t", 1, &settings);
    let sent = batch(Codec::Gzip);
    assert!(sent.len() < 2000, "as it is sent it is small enough");
    let answer = client.produce("t", 0, &sent);
    assert_eq!(answer.error_code, ErrorCode::MESSAGE_TOO_LARGE);
}

#[test]
fn a_topic_of_zstd_is_not_served_to_clients_that_do_not_know_it() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic_with("t", 1, &[("compression.type", "zstd")]);
    client.write("t", 0, &["hello"]);
    let from_0 = || FetchPartition {
        partition_max_bytes: 1 << 20,
        ..fetch_partition(0, 0)
    };
    for version in 0..=11 {
        let request = fetch_request("t", vec![from_0()]);
        let partition = only_partition(client.call(version, &request));
        let expected = match version {
            0..10 => ErrorCode::UNSUPPORTED_COMPRESSION_TYPE,
            _ => ErrorCode::NONE,
        };
        assert_eq!(partition.error_code, expected, "version {version}");
        assert_eq!(
            data_of(&partition).is_empty(),
            version < 10,
            "version {version}"
        );
    }
}
