//! The records of `__consumer_offsets`: positions of groups, and the groups themselves.
//!
//! ```text
//! key     version i16 | body       version 0 or 1: OffsetCommitKey, 2: GroupMetadataKey, others: kinds of groups not known here
//! value   version i16 | body       of the kind that the key says; a null value is a tombstone
//! ```
//!
//! Sources: the schemas of Kafka 4.3 (`group-coordinator/src/main/resources/common/message/*.json`); which versions are
//! written is `MetadataVersion`'s choice there: the newest that is not flexible, and version 1 of an offset that carries its
//! own end. All versions are read. What the records mean together is the coordinator's business. Any core.

use bytes::Bytes;

use super::error::WireError;
use super::reader::Reader;
use super::schema::{Message, schema};
use super::text::Text;
use super::writer::Writer;

schema! {
    /// Key of a position. Version 0 was written by Kafka 0.8.
    message OffsetCommitKey (versions 0..=1, flexible 32767) {
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
        /// When it was committed.
        commit_timestamp: i64 [0..],
        /// When it expires whatever the broker's retention is; -1 for no such date.
        expire_timestamp: i64 [1..=1] = -1,
    }

    /// Key of a group.
    message GroupMetadataKey (versions 2..=2, flexible 32767) {
        /// The group.
        group: Text [2..],
    }

    /// A group with its members and what is assigned to them.
    message GroupMetadataValue (versions 0..=4, flexible 4) {
        /// `consumer`, `connect`, or empty.
        protocol_type: Text [0..],
        /// The generation.
        generation: i32 [0..],
        /// The chosen assignor.
        protocol: Option<Text> [0..],
        /// Member id of the leader.
        leader: Option<Text> [0..],
        /// When the group came into its state; -1 for unknown.
        current_state_timestamp: i64 [2..] = -1,
        /// Its members.
        members: Vec<MemberMetadata> [0..],
    }

    /// A member of a group.
    struct MemberMetadata {
        /// Its id.
        member_id: Text [0..],
        /// Its `group.instance.id`.
        group_instance_id: Option<Text> [3..],
        /// Its client id.
        client_id: Text [0..],
        /// Its address.
        client_host: Text [0..],
        /// How long a rebalance waits for it; -1 for the session timeout.
        rebalance_timeout: i32 [1..] = -1,
        /// Silence after which it is out.
        session_timeout: i32 [0..],
        /// Its metadata for the chosen assignor.
        subscription: Bytes [0..],
        /// What is assigned to it.
        assignment: Bytes [0..],
    }

    /// The beginning of what a consumer says to its assignor. Later versions only add to the end of it.
    message ConsumerProtocolSubscription (versions 0..=0, flexible 32767) {
        /// Topics it is subscribed to.
        topics: Vec<Text> [0..],
        /// The assignor's own.
        user_data: Option<Bytes> [0..],
    }
}

/// The version of a position's key that is written.
const OFFSET_KEY_VERSION: i16 = 1;
/// The version of a group's key.
const GROUP_KEY_VERSION: i16 = 2;
/// The version of a position that carries its own end.
const OFFSET_VALUE_WITH_END: i16 = 1;
/// The version of any other value that is written.
const VALUE_VERSION: i16 = 3;

/// Which kind of record a key belongs to.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupRecordKey {
    /// A position.
    Offset(OffsetCommitKey),
    /// A group.
    Group(GroupMetadataKey),
    /// A record of another kind of groups (consumer, share and streams groups of Kafka 4), or of the future: to be passed
    /// over, as Kafka does with versions that it does not know.
    Other {
        /// The key's version.
        version: i16,
    },
}

impl GroupRecordKey {
    /// Reads the key of a record.
    ///
    /// # Errors
    /// A malformed body of a known version.
    pub fn decode(key: Bytes) -> Result<GroupRecordKey, WireError> {
        let mut r = Reader::new(key);
        match r.i16()? {
            version @ (0 | OFFSET_KEY_VERSION) => {
                OffsetCommitKey::decode(&mut r, version).map(GroupRecordKey::Offset)
            }
            GROUP_KEY_VERSION => {
                GroupMetadataKey::decode(&mut r, GROUP_KEY_VERSION).map(GroupRecordKey::Group)
            }
            version => Ok(GroupRecordKey::Other { version }),
        }
    }
}

impl OffsetCommitKey {
    /// The key of the record.
    pub fn encode_key(&self) -> Bytes {
        versioned(self, OFFSET_KEY_VERSION)
    }
}

impl GroupMetadataKey {
    /// The key of the record.
    pub fn encode_key(&self) -> Bytes {
        versioned(self, GROUP_KEY_VERSION)
    }
}

impl OffsetCommitValue {
    /// Reads the value of a record.
    ///
    /// # Errors
    /// An unknown version, or a malformed body.
    pub fn decode_value(value: Bytes) -> Result<OffsetCommitValue, WireError> {
        let mut r = Reader::new(value);
        let version = r.i16()?;
        OffsetCommitValue::decode(&mut r, version)
    }

    /// The value of the record. Only version 1 has a date of its own to expire, and that version has no leader epoch.
    pub fn encode_value(&self) -> Bytes {
        let version = if self.expire_timestamp == -1 {
            VALUE_VERSION
        } else {
            OFFSET_VALUE_WITH_END
        };
        versioned(self, version)
    }
}

impl GroupMetadataValue {
    /// Reads the value of a record.
    ///
    /// # Errors
    /// An unknown version, or a malformed body.
    pub fn decode_value(value: Bytes) -> Result<GroupMetadataValue, WireError> {
        let mut r = Reader::new(value);
        let version = r.i16()?;
        GroupMetadataValue::decode(&mut r, version)
    }

    /// The value of the record.
    pub fn encode_value(&self) -> Bytes {
        versioned(self, VALUE_VERSION)
    }
}

/// The topics that a member of a `consumer` group is subscribed to, from its metadata for the assignor. Every version begins
/// with what version 0 has, and only that is read.
///
/// # Errors
/// Bytes that are not such a subscription.
pub fn subscribed_topics(metadata: Bytes) -> Result<Vec<Text>, WireError> {
    let mut r = Reader::new(metadata);
    r.i16()?;
    ConsumerProtocolSubscription::decode(&mut r, 0).map(|subscription| subscription.topics)
}

/// A key or a value of the coordinators' topics: its version, and its body.
pub(super) fn versioned(message: &impl Message, version: i16) -> Bytes {
    let mut w = Writer::with_capacity(128);
    w.i16(version);
    message.encode(&mut w, version);
    w.finish_bytes()
}

#[cfg(test)]
mod tests;
