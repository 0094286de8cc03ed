//! Expected bytes follow the schemas by hand: they are what Kafka 4.3 writes for the same record.

use super::*;

fn bytes(hex: &str) -> Bytes {
    let hex: String = hex.split_whitespace().collect();
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect::<Vec<_>>()
        .into()
}

fn offset_key() -> OffsetCommitKey {
    OffsetCommitKey {
        group: "g".into(),
        topic: "t".into(),
        partition: 7,
    }
}

#[test]
fn keys_stand_as_kafka_writes_them() {
    let key = bytes("0001 0001 67 0001 74 00000007");
    assert_eq!(offset_key().encode_key(), key);
    assert_eq!(
        GroupRecordKey::decode(key).unwrap(),
        GroupRecordKey::Offset(offset_key())
    );
    let key = GroupMetadataKey { group: "g".into() };
    assert_eq!(key.encode_key(), bytes("0002 0001 67"));
    assert_eq!(
        GroupRecordKey::decode(key.encode_key()).unwrap(),
        GroupRecordKey::Group(key)
    );
}

#[test]
fn keys_of_version_0_are_read_and_later_kinds_are_told_apart() {
    assert_eq!(
        GroupRecordKey::decode(bytes("0000 0001 67 0001 74 00000007")).unwrap(),
        GroupRecordKey::Offset(offset_key())
    );
    for version in [3, 15, 99] {
        assert_eq!(
            GroupRecordKey::decode(bytes(&format!("{version:04x} 0001 67"))).unwrap(),
            GroupRecordKey::Other { version }
        );
    }
    assert!(GroupRecordKey::decode(bytes("00")).is_err());
    assert!(GroupRecordKey::decode(bytes("0002 0005 67")).is_err());
}

#[test]
fn a_position_is_written_in_version_3_and_with_an_end_of_its_own_in_version_1() {
    let mut value = OffsetCommitValue {
        offset: 5,
        leader_epoch: 2,
        metadata: "m".into(),
        commit_timestamp: 9,
        ..Default::default()
    };
    let encoded = value.encode_value();
    assert_eq!(
        encoded,
        bytes("0003 0000000000000005 00000002 0001 6d 0000000000000009")
    );
    assert_eq!(OffsetCommitValue::decode_value(encoded).unwrap(), value);
    value.expire_timestamp = 11;
    let encoded = value.encode_value();
    assert_eq!(
        encoded,
        bytes("0001 0000000000000005 0001 6d 0000000000000009 000000000000000b")
    );
    value.leader_epoch = -1;
    assert_eq!(OffsetCommitValue::decode_value(encoded).unwrap(), value);
}

#[test]
fn a_group_is_written_in_version_3() {
    let value = GroupMetadataValue {
        protocol_type: "consumer".into(),
        generation: 4,
        protocol: Some("range".into()),
        leader: Some("m".into()),
        current_state_timestamp: 3,
        members: vec![MemberMetadata {
            member_id: "m".into(),
            group_instance_id: Some("i".into()),
            client_id: "c".into(),
            client_host: "/h".into(),
            rebalance_timeout: 2,
            session_timeout: 1,
            subscription: bytes("aa"),
            assignment: bytes("bbcc"),
        }],
    };
    let encoded = value.encode_value();
    assert_eq!(
        encoded,
        bytes(
            "0003 0008 636f6e73756d6572 00000004 0005 72616e6765 0001 6d 0000000000000003 00000001 \
             0001 6d 0001 69 0001 63 0002 2f68 00000002 00000001 00000001 aa 00000002 bbcc"
        )
    );
    assert_eq!(GroupMetadataValue::decode_value(encoded).unwrap(), value);
}

#[test]
fn every_version_of_the_values_is_read_and_none_beyond() {
    for version in 0..=4 {
        let value = OffsetCommitValue {
            offset: 5,
            ..Default::default()
        };
        let encoded = versioned(&value, version);
        assert_eq!(OffsetCommitValue::decode_value(encoded).unwrap(), value);
        let value = GroupMetadataValue {
            generation: 5,
            members: vec![MemberMetadata::default()],
            ..Default::default()
        };
        let encoded = versioned(&value, version);
        assert_eq!(GroupMetadataValue::decode_value(encoded).unwrap(), value);
    }
    let unknown = bytes("0005 0000000000000005");
    assert!(OffsetCommitValue::decode_value(unknown.clone()).is_err());
    assert!(GroupMetadataValue::decode_value(unknown).is_err());
}

#[test]
fn the_topics_of_a_subscription_are_read_from_every_version() {
    for version in ["0000", "0003", "0063"] {
        let metadata = bytes(&format!(
            "{version} 00000002 0001 61 0002 6262 ffffffff 00000000"
        ));
        assert_eq!(subscribed_topics(metadata).unwrap(), vec!["a", "bb"]);
    }
    for malformed in ["", "00", "0000", "0000 00000002 0001 61", "0000 7fffffff"] {
        assert!(subscribed_topics(bytes(malformed)).is_err(), "{malformed}");
    }
}
