//! The records of `__consumer_offsets`: what groups remember.
//!
//! ```text
//! key    version int16 (0, 1: a position; 2: a group) | body
//! value  version int16 | body; no value at all means forgotten
//! ```
//!
//! Sources: the schemas of Kafka 4.3's group coordinator (`OffsetCommitKey`, `OffsetCommitValue`, `GroupMetadataKey`,
//! `GroupMetadataValue`) and `ConsumerProtocolSubscription`. Values are read in every version and written in the one that a
//! cluster at the level of Kafka 4.3 writes. Keys of the newer group protocols (3 and up) mean nothing here. Any core.

use bytes::Bytes;

use super::error::WireError;
use super::reader::Reader;
use super::schema::{Message, schema};
use super::text::Text;
use super::writer::Writer;

schema! {
    /// Key of a position.
    message OffsetCommitKey (versions 0..=1, flexible 2) {
        /// The group.
        group: Text [0..],
        /// The topic.
        topic: Text [0..],
        /// The partition.
        partition: i32 [0..],
    }

    /// A position.
    message OffsetCommitValue (versions 0..=4, flexible 4) {
        /// The offset to go on from.
        offset: i64 [0..],
        /// Leader epoch of the record before, -1 for unknown.
        leader_epoch: i32 [3..] = -1,
        /// The application's own note.
        metadata: Text [0..],
        /// When it was committed, in milliseconds.
        commit_timestamp: i64 [0..],
        /// When it expires by the client's own wish, -1 for none.
        expire_timestamp: i64 [1..=1] = -1,
    }

    /// Key of a group.
    message GroupMetadataKey (versions 2..=2, flexible 3) {
        /// The group.
        group: Text [2..],
    }

    /// A group.
    message GroupMetadataValue (versions 0..=4, flexible 4) {
        /// `consumer`, `connect`; empty for none.
        protocol_type: Text [0..],
        /// The generation.
        generation: i32 [0..],
        /// The chosen assignor.
        protocol: Option<Text> [0..],
        /// Member id of the leader.
        leader: Option<Text> [0..],
        /// When the group came to its state, in milliseconds; -1 for unknown.
        current_state_timestamp: i64 [2..] = -1,
        /// Its members.
        members: Vec<MemberMetadata> [0..],
    }

    /// A member of a group.
    struct MemberMetadata {
        /// Its id.
        member_id: Text [0..],
        /// The id it gave itself.
        group_instance_id: Option<Text> [3..],
        /// Its client id.
        client_id: Text [0..],
        /// Its address.
        client_host: Text [0..],
        /// How long a rebalance waits for it, in milliseconds; -1 is the session timeout.
        rebalance_timeout: i32 [1..] = -1,
        /// Silence after which it is out, in milliseconds.
        session_timeout: i32 [0..],
        /// Its metadata for the chosen assignor.
        subscription: Bytes [0..],
        /// What it was assigned.
        assignment: Bytes [0..],
    }

    /// The topics of a consumer's subscription: the beginning that all its versions share.
    message ConsumerProtocolSubscription (versions 0..=0, flexible 1) {
        /// Their names.
        topics: Vec<Text> [0..],
    }
}

/// Written unless a client wants its position to expire, as Kafka 4.3 does.
const POSITION_VERSION: i16 = 3;
/// The only version with an expiry of its own.
const EXPIRING_POSITION_VERSION: i16 = 1;
const GROUP_VERSION: i16 = 3;
const POSITION_KEY_VERSION: i16 = 1;
const GROUP_KEY_VERSION: i16 = 2;

/// What a record is about.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupRecordKey {
    /// A position.
    Offset(OffsetCommitKey),
    /// A group.
    Group(GroupMetadataKey),
    /// Something of a newer group protocol.
    Other {
        /// Its version.
        version: i16,
    },
}

impl GroupRecordKey {
    /// Reads a key.
    ///
    /// # Errors
    /// A malformed body.
    pub fn decode(key: Bytes) -> Result<GroupRecordKey, WireError> {
        let mut r = Reader::new(key);
        match r.i16()? {
            version @ 0..=1 => OffsetCommitKey::decode(&mut r, version).map(GroupRecordKey::Offset),
            version @ 2 => GroupMetadataKey::decode(&mut r, version).map(GroupRecordKey::Group),
            version => Ok(GroupRecordKey::Other { version }),
        }
    }
}

impl OffsetCommitKey {
    /// The bytes of the key.
    pub fn to_bytes(&self) -> Bytes {
        versioned(self, POSITION_KEY_VERSION)
    }
}

impl OffsetCommitValue {
    /// The bytes of the value.
    pub fn to_bytes(&self) -> Bytes {
        versioned(
            self,
            if self.expire_timestamp == -1 {
                POSITION_VERSION
            } else {
                EXPIRING_POSITION_VERSION
            },
        )
    }

    /// Reads a value of any version.
    ///
    /// # Errors
    /// An unknown version or a malformed body.
    pub fn from_bytes(value: Bytes) -> Result<OffsetCommitValue, WireError> {
        read_versioned(value)
    }
}

impl GroupMetadataKey {
    /// The bytes of the key.
    pub fn to_bytes(&self) -> Bytes {
        versioned(self, GROUP_KEY_VERSION)
    }
}

impl GroupMetadataValue {
    /// The bytes of the value.
    pub fn to_bytes(&self) -> Bytes {
        versioned(self, GROUP_VERSION)
    }

    /// Reads a value of any version.
    ///
    /// # Errors
    /// An unknown version or a malformed body.
    pub fn from_bytes(value: Bytes) -> Result<GroupMetadataValue, WireError> {
        read_versioned(value)
    }
}

impl ConsumerProtocolSubscription {
    /// Reads the topics of a subscription of any version.
    ///
    /// # Errors
    /// A malformed one.
    pub fn from_bytes(metadata: Bytes) -> Result<ConsumerProtocolSubscription, WireError> {
        let mut r = Reader::new(metadata);
        let _any_version = r.i16()?;
        ConsumerProtocolSubscription::decode(&mut r, 0)
    }
}

fn versioned<M: Message>(message: &M, version: i16) -> Bytes {
    let mut w = Writer::with_capacity(128);
    w.i16(version);
    message.encode(&mut w, version);
    w.finish_bytes()
}

fn read_versioned<M: Message>(value: Bytes) -> Result<M, WireError> {
    let mut r = Reader::new(value);
    let version = r.i16()?;
    if !M::VERSIONS.contains(&version) {
        return Err(WireError::UnknownRecordType {
            record_type: 0,
            version: u32::from(version.cast_unsigned()),
        });
    }
    M::decode(&mut r, version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &Bytes) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn a_position_has_the_bytes_that_kafka_writes() {
        let key = OffsetCommitKey {
            group: "g".into(),
            topic: "t".into(),
            partition: 7,
        };
        assert_eq!(
            hex(&key.to_bytes()),
            "0001000167000174".to_owned() + "00000007"
        );
        let value = OffsetCommitValue {
            offset: 5,
            leader_epoch: 2,
            metadata: "m".into(),
            commit_timestamp: 9,
            expire_timestamp: -1,
        };
        let expected =
            "0003".to_owned() + "0000000000000005" + "00000002" + "00016d" + "0000000000000009";
        assert_eq!(hex(&value.to_bytes()), expected);
        let expiring = OffsetCommitValue {
            expire_timestamp: 10,
            ..value
        };
        let expected = "0001".to_owned()
            + "0000000000000005"
            + "00016d"
            + "0000000000000009"
            + "000000000000000a";
        assert_eq!(hex(&expiring.to_bytes()), expected);
    }

    #[test]
    fn values_are_read_back_in_every_version() {
        let value = GroupMetadataValue {
            protocol_type: "consumer".into(),
            generation: 3,
            protocol: Some("range".into()),
            leader: Some("a".into()),
            members: vec![MemberMetadata {
                member_id: "a".into(),
                subscription: Bytes::from_static(b"s"),
                assignment: Bytes::from_static(b"x"),
                ..MemberMetadata::default()
            }],
            ..GroupMetadataValue::default()
        };
        for version in GroupMetadataValue::VERSIONS {
            let read = GroupMetadataValue::from_bytes(versioned(&value, version)).unwrap();
            assert_eq!(read.members.len(), 1, "version {version}");
            assert_eq!((read.generation, read.protocol), (3, Some("range".into())));
        }
        assert!(GroupMetadataValue::from_bytes(Bytes::from_static(&[0, 5])).is_err());
        assert!(GroupMetadataValue::from_bytes(Bytes::from_static(&[0])).is_err());
    }

    #[test]
    fn keys_of_newer_protocols_are_known_as_such() {
        let key = GroupRecordKey::decode(Bytes::from_static(&[0, 3, 0, 1, 97]));
        assert_eq!(key.unwrap(), GroupRecordKey::Other { version: 3 });
    }

    #[test]
    fn the_topics_of_any_subscription_are_found() {
        let bytes = [0, 3, 0, 0, 0, 1, 0, 1, 116, 0, 0, 0, 0, 9, 9];
        let found = ConsumerProtocolSubscription::from_bytes(Bytes::copy_from_slice(&bytes));
        assert_eq!(found.unwrap().topics, [Text::from("t")]);
        assert!(ConsumerProtocolSubscription::from_bytes(Bytes::from_static(b"ab")).is_err());
    }
}
