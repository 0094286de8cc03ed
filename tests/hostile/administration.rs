//! Broken requests of administration and groups.
//!
//! Setup: a broker with bystanders; whole requests cut off at every byte, bodies of nothing but nulls, of counts that no frame holds, and of
//! noise, in every version of every key that is served. Expectation: the connection is closed or an error is answered, memory stays where
//! it was, and the bystanders are served all the while.

use std::io::{ErrorKind, Read};

use vltava::wire::messages::alter_partition_reassignments::AlterPartitionReassignmentsRequest;
use vltava::wire::messages::create_partitions::{CreatePartitionsRequest, CreatePartitionsTopic};
use vltava::wire::messages::delete_groups::DeleteGroupsRequest;
use vltava::wire::messages::describe_groups::DescribeGroupsRequest;
use vltava::wire::messages::describe_topic_partitions::{
    Cursor, DescribeTopicPartitionsRequest, TopicRequest,
};
use vltava::wire::messages::elect_leaders::ElectLeadersRequest;
use vltava::wire::messages::list_groups::ListGroupsRequest;
use vltava::wire::messages::list_transactions::ListTransactionsRequest;
use vltava::wire::messages::update_features::{FeatureUpdateKey, UpdateFeaturesRequest};
use vltava::wire::{ApiKey, ErrorCode, Request};

use crate::harness::broker::Broker;
use crate::harness::bystanders::Bystanders;
use crate::harness::serve::resident_bytes;
use crate::harness::wire_client::{WireClient, frame, request_bytes, request_header};

const MEMORY_BYTES: u64 = 32 << 20;

#[test]
fn requests_cut_off_at_any_byte_close_the_connection() {
    let broker = Broker::start(&[]);
    let bystanders = Bystanders::start(broker.port());
    let port = broker.port();
    cut_everywhere(
        port,
        5,
        &ListGroupsRequest {
            states_filter: vec!["Stable".into()],
            types_filter: vec!["classic".into()],
        },
    );
    cut_everywhere(
        port,
        2,
        &ListTransactionsRequest {
            state_filters: vec!["Ongoing".into()],
            producer_id_filters: vec![1, 2],
            transactional_id_pattern: Some("a.*".into()),
            ..ListTransactionsRequest::default()
        },
    );
    let groups = DescribeGroupsRequest {
        groups: vec!["a".into(), "b".into()],
        ..DescribeGroupsRequest::default()
    };
    cut_everywhere(port, 0, &groups);
    cut_everywhere(port, 6, &groups);
    cut_everywhere(
        port,
        2,
        &DeleteGroupsRequest {
            groups_names: vec!["a".into()],
        },
    );
    cut_everywhere(
        port,
        3,
        &CreatePartitionsRequest {
            topics: vec![CreatePartitionsTopic {
                name: "a".into(),
                count: 3,
                ..CreatePartitionsTopic::default()
            }],
            ..CreatePartitionsRequest::default()
        },
    );
    cut_everywhere(
        port,
        0,
        &DescribeTopicPartitionsRequest {
            topics: vec![TopicRequest { name: "a".into() }],
            cursor: Some(Cursor {
                topic_name: "a".into(),
                partition_index: 0,
            }),
            ..DescribeTopicPartitionsRequest::default()
        },
    );
    cut_everywhere(
        port,
        2,
        &UpdateFeaturesRequest {
            feature_updates: vec![FeatureUpdateKey {
                feature: "metadata.version".into(),
                max_version_level: 999,
                ..FeatureUpdateKey::default()
            }],
            ..UpdateFeaturesRequest::default()
        },
    );
    cut_everywhere(port, 2, &ElectLeadersRequest::default());
    cut_everywhere(port, 0, &AlterPartitionReassignmentsRequest::default());
    bystanders.finish();
}

#[test]
fn nulls_counts_and_noise_in_every_version_cost_nothing_and_stop_nobody() {
    let broker = Broker::start(&[]);
    let bystanders = Bystanders::start(broker.port());
    let table = WireClient::connect(broker.port()).assert_serves().api_keys;
    let before = resident_bytes(broker.pid());
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    let mut told = 0;
    for row in table.iter().filter(|row| is_administration(row.api_key)) {
        for version in row.min_version..=row.max_version {
            // Zeroes are nulls in flexible versions, ones in the older; the counts are 2^31 - 1, and 2^31 - 2 as a varint.
            let mut bodies = vec![vec![0; 64], vec![0xff; 64]];
            bodies.push([0x7f, 0xff, 0xff, 0xff].repeat(8));
            bodies.push([0, 0xff, 0xff, 0xff, 0xff, 0x07].to_vec());
            bodies.push([0, 0, 0xff, 0xff, 0xff, 0xff, 0x07].to_vec());
            bodies.extend((0..6).map(|length| noise.bytes(1 << length)));
            for body in bodies {
                let what = format!("key {} version {version}: {body:?}", row.api_key);
                let request = [request_header(row.api_key, version), body].concat();
                told += usize::from(answers(broker.port(), &request, &what));
            }
        }
    }
    assert!(told > 0, "some of it is a request after all");
    let grown = resident_bytes(broker.pid()).saturating_sub(before);
    assert!(grown < MEMORY_BYTES, "{grown} bytes more");
    bystanders.finish();
}

#[test]
fn a_pattern_that_would_grow_without_bound_is_refused() {
    let broker = Broker::start(&[]);
    let before = resident_bytes(broker.pid());
    let mut client = WireClient::connect(broker.port());
    for pattern in ["(", "a{", "[", "*", "((a{1000}){1000}){1000}"] {
        let answer = client.call(
            2,
            &ListTransactionsRequest {
                transactional_id_pattern: Some(pattern.into()),
                ..ListTransactionsRequest::default()
            },
        );
        assert_eq!(
            answer.error_code,
            ErrorCode::INVALID_REGULAR_EXPRESSION,
            "{pattern}"
        );
    }
    let grown = resident_bytes(broker.pid()).saturating_sub(before);
    assert!(grown < MEMORY_BYTES, "{grown} bytes more");
}

/// Everything but what carries records.
fn is_administration(key: i16) -> bool {
    ![ApiKey::Produce as i16, ApiKey::Fetch as i16].contains(&key)
}

/// Sends the request up to each of its bytes behind the header, each time as a frame of that length.
fn cut_everywhere<R: Request>(port: u16, version: i16, request: &R) {
    let whole = request_bytes(7, version, request);
    // Without the length that stands before it.
    let whole = &whole[4..];
    assert!(answers(port, whole, "the whole request"));
    for length in 0..whole.len() {
        let what = format!("{:?} {version} cut off at {length}", R::KEY);
        assert!(!answers(port, &whole[..length], &what), "{what}");
    }
}

/// Whether the broker answers this, and does not close the connection; a broker that does neither fails the test.
fn answers(port: u16, request: &[u8], what: &str) -> bool {
    let mut client = WireClient::connect(port);
    client.send_bytes_to_whoever_listens(&frame(request));
    match client.stream().read(&mut [0; 4]) {
        Ok(length) => length > 0,
        Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
        Err(error) => panic!("{what}: {error}"),
    }
}

/// Bytes that look random and are the same in every run (xorshift).
struct Noise(u64);

impl Noise {
    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let next = || {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 as u8
        };
        std::iter::repeat_with(next).take(length).collect()
    }
}
