//! Frames of the right length whose content is no request that is served.
//!
//! Setup: a broker with bystanders. Expectation: ApiVersions of an unknown version is answered in version 0, everything else
//! closes the connection, as in Kafka; arrays that claim more than the frame holds take no memory.

use vltava::wire::messages::api_versions::ApiVersionsResponse;
use vltava::wire::{ApiKey, ErrorCode, Message, Reader};

use crate::harness::broker::Broker;
use crate::harness::bystanders::Bystanders;
use crate::harness::serve::resident_bytes;
use crate::harness::wire_client::{WireClient, frame, request_header};

#[test]
fn an_unknown_api_key_closes_the_connection() {
    let broker = Broker::start(&[]);
    let bystanders = Bystanders::start(broker.port());
    for key in [-1, 4, 93, 10_000, i16::MAX, i16::MIN] {
        let mut client = WireClient::connect(broker.port());
        client.assert_serves();
        client.send_bytes(&frame(&request_header(key, 0)));
        client.assert_closed(&format!("API key {key}"));
    }
    bystanders.finish();
}

#[test]
fn an_unsupported_version_of_api_versions_is_answered_in_version_0() {
    let broker = Broker::start(&[]);
    for version in [5, 999, i16::MAX, -1] {
        let mut client = WireClient::connect(broker.port());
        let mut request = request_header(ApiKey::ApiVersions as i16, version);
        if version >= 3 {
            // A flexible header: no tagged fields.
            request.push(0);
        }
        client.send_bytes(&frame(&request));
        let mut answer = Reader::new(client.read_frame());
        assert_eq!(answer.i32().expect("a correlation id"), 7);
        let answer = ApiVersionsResponse::decode(&mut answer, 0).expect("version 0");
        assert_eq!(answer.error_code, ErrorCode::UNSUPPORTED_VERSION);
        let keys: Vec<i16> = answer.api_keys.iter().map(|row| row.api_key).collect();
        assert_eq!(keys, [ApiKey::ApiVersions as i16]);
        // The client goes on with a version that the answer has named.
        client.assert_serves();
    }
}

#[test]
fn an_unsupported_version_of_anything_else_closes_the_connection() {
    let broker = Broker::start(&[]);
    let bystanders = Bystanders::start(broker.port());
    let table = WireClient::connect(broker.port()).assert_serves().api_keys;
    for row in table
        .iter()
        .filter(|row| row.api_key != ApiKey::ApiVersions as i16)
    {
        for version in [row.max_version + 1, -1] {
            let mut client = WireClient::connect(broker.port());
            client.send_bytes(&frame(&request_header(row.api_key, version)));
            client.assert_closed(&format!("key {} version {version}", row.api_key));
        }
    }
    bystanders.finish();
}

#[test]
fn a_malformed_body_closes_the_connection() {
    let broker = Broker::start(&[]);
    let bystanders = Bystanders::start(broker.port());
    let produce = request_header(ApiKey::Produce as i16, 3);
    let metadata = request_header(ApiKey::Metadata as i16, 1);
    let bodies: [(&str, Vec<u8>); 5] = [
        ("a produce request without a body", produce.clone()),
        (
            "a string of length -2",
            [produce.clone(), vec![0xff, 0xfe]].concat(),
        ),
        (
            "a string that goes on behind the frame",
            [produce, vec![0x7f, 0xff, b'x']].concat(),
        ),
        (
            "an array of length -2",
            [metadata.clone(), vec![0xff, 0xff, 0xff, 0xfe]].concat(),
        ),
        (
            "a name that is not UTF-8",
            [metadata, vec![0, 0, 0, 1, 0, 2, 0xc3, 0x28]].concat(),
        ),
    ];
    for (what, body) in bodies {
        let mut client = WireClient::connect(broker.port());
        client.send_bytes(&frame(&body));
        client.assert_closed(what);
    }
    bystanders.finish();
}

#[test]
fn arrays_that_claim_more_than_the_frame_holds_take_no_memory() {
    let broker = Broker::start(&[]);
    let bystanders = Bystanders::start(broker.port());
    let before = resident_bytes(broker.pid());
    let classic = |key: ApiKey, version, rest: &[u8]| {
        [request_header(key as i16, version), rest.to_vec()].concat()
    };
    // A length as unsigned varint: 2^28 and more elements, after the header's empty tagged fields.
    let compact = [0, 0xff, 0xff, 0xff, 0xff, 0x07];
    let most = [0x7f, 0xff, 0xff, 0xff];
    let claims = [
        ("topics of Metadata 1", classic(ApiKey::Metadata, 1, &most)),
        (
            "topics of Metadata 12",
            classic(ApiKey::Metadata, 12, &compact),
        ),
        (
            "topics of Produce 3",
            classic(
                ApiKey::Produce,
                3,
                &[&[0xff, 0xff, 0, 1, 0, 0, 0, 9][..], &most].concat(),
            ),
        ),
        (
            "topics of CreateTopics 0",
            classic(ApiKey::CreateTopics, 0, &most),
        ),
        (
            "topics of ListOffsets 1",
            classic(
                ApiKey::ListOffsets,
                1,
                &[&[0xff, 0xff, 0xff, 0xff][..], &most].concat(),
            ),
        ),
    ];
    for (what, body) in claims {
        for _ in 0..20 {
            let mut client = WireClient::connect(broker.port());
            client.send_bytes(&frame(&body));
            client.assert_closed(what);
        }
    }
    let grown = resident_bytes(broker.pid()).saturating_sub(before);
    assert!(grown < 16 << 20, "{grown} bytes more");
    bystanders.finish();
}

/// A small generator of random bytes (SplitMix64): reproducible from its seed.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 31)
    }

    /// Bytes of which many are what lengths and counts are made of.
    fn body(&mut self) -> Vec<u8> {
        let length = self.next() % 80;
        (0..length)
            .map(|_| match self.next() % 5 {
                0 => 0,
                1 => 0xff,
                2 => (self.next() % 4) as u8,
                3 => 0x7f,
                _ => self.next() as u8,
            })
            .collect()
    }
}

#[test]
fn noise_behind_the_header_of_any_api_hurts_nobody() {
    let broker = Broker::start(&[]);
    let bystanders = Bystanders::start(broker.port());
    let table = WireClient::connect(broker.port()).assert_serves().api_keys;
    let mut noise = Noise(u64::from(std::process::id()));
    eprintln!("seed {}", noise.0);
    let before = resident_bytes(broker.pid());
    for row in &table {
        for version in row.min_version..=row.max_version {
            for _ in 0..4 {
                let body = [request_header(row.api_key, version), noise.body()].concat();
                let mut client = WireClient::connect(broker.port());
                client.send_bytes_to_whoever_listens(&frame(&body));
                // What it takes for a request may be answered, or waited with; whoever sent it is gone by then.
                client.finish_sending();
            }
        }
    }
    WireClient::connect(broker.port()).assert_serves();
    let grown = resident_bytes(broker.pid()).saturating_sub(before);
    assert!(grown < 32 << 20, "{grown} bytes more");
    bystanders.finish();
}
