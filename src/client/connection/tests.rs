use std::time::Duration;

use super::*;
use crate::client::scripted_broker::{Reaction, start};
use crate::wire::messages::api_versions::ApiVersion;
use crate::wire::messages::metadata::MetadataRequest;
use crate::wire::messages::produce::ProduceRequest;

const IMPATIENT: Timeouts = Timeouts {
    connect: Duration::from_secs(5),
    request: Duration::from_millis(200),
};

fn open(address: &str) -> Result<Connection, ClientError> {
    Connection::open(address, "test", IMPATIENT)
}

#[test]
fn a_broker_of_old_versions_is_spoken_to_in_them() {
    let address = start(|asked| {
        let rows = [(18, 0, 0), (3, 0, 2), (0, 90, 95)];
        let api_keys = rows.map(|(api_key, min_version, max_version)| ApiVersion {
            api_key,
            min_version,
            max_version,
        });
        let refused = asked.header.api_version > 0;
        let answer = ApiVersionsResponse {
            error_code: if refused {
                ErrorCode::UNSUPPORTED_VERSION
            } else {
                ErrorCode::NONE
            },
            api_keys: api_keys.into(),
            ..Default::default()
        };
        // Also the refusal of a version is in version 0.
        asked.header.api_version = 0;
        asked.answer(&answer)
    });
    let connection = open(&address).unwrap();
    assert_eq!(connection.version_of::<MetadataRequest>().unwrap(), 2);
    let none = connection.version_of::<ProduceRequest>().unwrap_err();
    assert!(
        none.to_string()
            .contains("Produce only in versions 90-95; ours are 0-"),
        "{none}"
    );
}

#[test]
fn an_answer_that_claims_more_than_any_answer_has_is_refused_unread() {
    for claimed in [i32::MAX, -1, i32::MIN] {
        let address = start(move |_| Reaction::Bytes(claimed.to_be_bytes().to_vec()));
        let error = open(&address).unwrap_err();
        assert!(
            error
                .to_string()
                .contains(&format!("a frame of {claimed} bytes")),
            "{error}"
        );
        assert!(error.breaks_connection() && !error.is_retriable());
    }
}

#[test]
fn an_answer_that_breaks_off_is_a_lost_connection() {
    let address = start(|asked| match asked.header.api_key {
        18 => asked.ordinary_answer(),
        _ => Reaction::Close,
    });
    let error = open(&address)
        .unwrap()
        .call(&MetadataRequest::default())
        .unwrap_err();
    assert!(error.breaks_connection() && error.is_retriable(), "{error}");
}

#[test]
fn a_broker_that_does_not_answer_is_waited_for_no_longer_than_allowed() {
    let address = start(|_| Reaction::Silence);
    let began = Instant::now();
    let error = open(&address).unwrap_err();
    assert!(matches!(error, ClientError::TimedOut { .. }), "{error}");
    assert!((IMPATIENT.request..IMPATIENT.request * 10).contains(&began.elapsed()));
}

#[test]
fn an_answer_to_another_request_is_not_taken_for_ours() {
    let address = start(|asked| {
        asked.header.correlation_id += i32::from(asked.header.api_key == 3);
        asked.ordinary_answer()
    });
    let error = open(&address)
        .unwrap()
        .call(&MetadataRequest::default())
        .unwrap_err();
    assert!(
        error.to_string().contains("it answers request 2, not 1"),
        "{error}"
    );
}

#[test]
fn answers_to_several_requests_on_their_way_come_in_order() {
    let address = start(|asked| asked.ordinary_answer());
    let mut connection = open(&address).unwrap();
    for topics in [None, Some(Vec::new()), None] {
        connection
            .send(&MetadataRequest {
                topics,
                ..MetadataRequest::default()
            })
            .unwrap();
    }
    let topics: Vec<usize> = (0..3)
        .map(|_| {
            connection
                .receive::<MetadataRequest>()
                .unwrap()
                .topics
                .len()
        })
        .collect();
    assert_eq!(topics, [1, 0, 1]);
}
