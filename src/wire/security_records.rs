//! Records of the metadata log with which a cluster promises access control, credentials and quotas.
//!
//! Decoded only so far that whoever reads the log can tell what of it still holds; the broker enforces none of it yet.
//! Sources: KIP-801, KIP-900, KIP-631 and the schemas of Kafka 4.3. Any core.

use bytes::Bytes;
use uuid::Uuid;

use super::error::WireError;
use super::reader::Reader;
use super::schema::{Message, schema};
use super::text::Text;

/// Reads the body of a record, of the version its head says.
///
/// # Errors
/// A version that is not known, or a body that is not one of it.
pub(crate) fn decode<M: Message>(version: u32, body: &Bytes) -> Result<M, WireError> {
    // A version that is no int16 is as unknown as any other.
    let version = i16::try_from(version).unwrap_or(i16::MAX);
    M::decode(&mut Reader::new(body.clone()), version)
}

schema! {
    /// An entry of the access control lists.
    message AccessControlEntryRecord (versions 0..=0, flexible 0) {
        /// Its id.
        id: Uuid [0..],
        /// Kind of resource.
        resource_type: i8 [0..],
        /// The resource.
        resource_name: Text [0..],
        /// How the name is meant.
        pattern_type: i8 [0..],
        /// Who.
        principal: Text [0..],
        /// From where.
        host: Text [0..],
        /// What.
        operation: i8 [0..],
        /// Whether it allows or denies.
        permission_type: i8 [0..],
    }

    /// An entry of the access control lists is gone.
    message RemoveAccessControlEntryRecord (versions 0..=0, flexible 0) {
        /// Its id.
        id: Uuid [0..],
    }

    /// A user's SCRAM credential.
    message UserScramCredentialRecord (versions 0..=0, flexible 0) {
        /// The user.
        name: Text [0..],
        /// 1: SCRAM-SHA-256, 2: SCRAM-SHA-512.
        mechanism: i8 [0..],
        /// Salt.
        salt: Bytes [0..],
        /// What the server compares with.
        stored_key: Bytes [0..],
        /// What the server proves itself with.
        server_key: Bytes [0..],
        /// Rounds.
        iterations: i32 [0..],
    }

    /// A user's SCRAM credential is gone.
    message RemoveUserScramCredentialRecord (versions 0..=0, flexible 0) {
        /// The user.
        name: Text [0..],
        /// The mechanism.
        mechanism: i8 [0..],
    }

    /// A delegation token.
    message DelegationTokenRecord (versions 0..=0, flexible 0) {
        /// Its owner.
        owner: Text [0..],
        /// Who asked for it.
        requester: Text [0..],
        /// Who may renew it.
        renewers: Vec<Text> [0..],
        /// When it was issued, in milliseconds.
        issue_timestamp: i64 [0..],
        /// Until when it may be renewed, in milliseconds.
        max_timestamp: i64 [0..],
        /// When it expires, in milliseconds.
        expiration_timestamp: i64 [0..],
        /// Its id.
        token_id: Text [0..],
    }

    /// A delegation token is gone.
    message RemoveDelegationTokenRecord (versions 0..=0, flexible 0) {
        /// Its id.
        token_id: Text [0..],
    }

    /// A client quota was set or removed.
    message ClientQuotaRecord (versions 0..=0, flexible 0) {
        /// Whose.
        entity: Vec<QuotaEntity> [0..],
        /// Which limit.
        key: Text [0..],
        /// The limit, as the bits of a float64.
        value: i64 [0..],
        /// It is gone.
        remove: bool [0..],
    }

    /// A part of whose quota it is (`EntityData` in Kafka's schema).
    struct QuotaEntity {
        /// user, client-id or ip.
        entity_type: Text [0..],
        /// Its name; null is the default.
        entity_name: Option<Text> [0..],
    }
}

/// The body of a record in its only version.
#[cfg(test)]
pub(crate) fn encode(record: &impl Message) -> Bytes {
    let mut w = super::writer::Writer::with_capacity(64);
    record.encode(&mut w, 0);
    w.finish_bytes()
}
