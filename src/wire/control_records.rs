//! Values of the control records in the metadata log: who leads, where a snapshot starts and ends, who votes.
//!
//! Their place is a control batch; the record's key (int16 version 0, int16 type) says which it is. Every value begins
//! with its own version, and is flexible from version 0 on. Sources: KIP-595, KIP-630, KIP-853. Any core.

use bytes::Bytes;
use uuid::Uuid;

use super::error::WireError;
use super::reader::Reader;
use super::schema::{Message, schema};
use super::text::Text;
use super::writer::Writer;

schema! {
    /// A leader took over; the first record of its epoch.
    message LeaderChangeMessage (versions 0..=1, flexible 0) {
        /// Version of this value.
        version: i16 [0..],
        /// Node id of the leader.
        leader_id: i32 [0..],
        /// The voters.
        voters: Vec<Voter> [0..],
        /// Those who voted for the leader.
        granting_voters: Vec<Voter> [0..],
    }

    /// A voter by identity.
    struct Voter {
        /// Its node id.
        voter_id: i32 [0..],
        /// Directory id of its metadata log.
        voter_directory_id: Uuid [1..],
    }

    /// The first record of a snapshot.
    message SnapshotHeaderRecord (versions 0..=0, flexible 0) {
        /// Version of this value.
        version: i16 [0..],
        /// Timestamp of the last batch the snapshot contains, in milliseconds.
        last_contained_log_timestamp: i64 [0..],
    }

    /// The last record of a snapshot.
    message SnapshotFooterRecord (versions 0..=0, flexible 0) {
        /// Version of this value.
        version: i16 [0..],
    }

    /// The version of the quorum's protocol.
    message KRaftVersionRecord (versions 0..=0, flexible 0) {
        /// Version of this value.
        version: i16 [0..],
        /// 0: static voters, 1: voters are in the log.
        k_raft_version: i16 [0..],
    }

    /// The voters and how to reach them.
    message VotersRecord (versions 0..=0, flexible 0) {
        /// Version of this value.
        version: i16 [0..],
        /// The voters.
        voters: Vec<VoterWithEndpoints> [0..],
    }

    /// A voter and how to reach it (`Voter` in Kafka's schema of `VotersRecord`).
    struct VoterWithEndpoints {
        /// Its node id.
        voter_id: i32 [0..],
        /// Directory id of its metadata log.
        voter_directory_id: Uuid [0..],
        /// Its listeners.
        endpoints: Vec<Endpoint> [0..],
        /// Versions of the quorum's protocol it can do.
        k_raft_version_feature: KRaftVersionFeature [0..],
    }

    /// A listener.
    struct Endpoint {
        /// Its name.
        name: Text [0..],
        /// Its host.
        host: Text [0..],
        /// Its port.
        port: u16 [0..],
    }

    /// Versions of the quorum's protocol.
    struct KRaftVersionFeature {
        /// Lowest.
        min_supported_version: i16 [0..],
        /// Highest.
        max_supported_version: i16 [0..],
    }
}

macro_rules! control_records {
    ($($(#[$doc:meta])* $variant:ident($value:ident) = $record_type:literal,)*) => {
        /// A control record of the metadata log.
        #[derive(Clone, Debug, PartialEq)]
        pub enum ControlRecord {
            $($(#[$doc])* $variant($value),)*
        }

        impl ControlRecord {
            /// The type in the record's key.
            pub fn record_type(&self) -> i16 {
                match self {
                    $(ControlRecord::$variant(_) => $record_type,)*
                }
            }

            /// The record's key: int16 version 0, int16 type.
            pub fn key(&self) -> [u8; 4] {
                let [high, low] = self.record_type().to_be_bytes();
                [0, 0, high, low]
            }

            /// Reads a record's value. Types this broker does not know (commit and abort markers have their own place)
            /// give `None`: control records may be stepped over.
            ///
            /// # Errors
            /// A value that is not what its type and version say.
            pub fn decode(record_type: i16, value: Bytes) -> Result<Option<ControlRecord>, WireError> {
                let version = Reader::new(value.clone()).i16()?;
                let mut r = Reader::new(value);
                Ok(Some(match record_type {
                    $($record_type => ControlRecord::$variant($value::decode(&mut r, version)?),)*
                    _ => return Ok(None),
                }))
            }

            /// The record's value, in the layout of the version it names.
            ///
            /// # Panics
            /// When the version it names is not one of its schema's: it was made up here.
            pub fn encode(&self) -> Bytes {
                let mut w = Writer::default();
                match self {
                    $(ControlRecord::$variant(value) => {
                        assert!($value::VERSIONS.contains(&value.version), "{value:?}");
                        value.encode(&mut w, value.version);
                    })*
                }
                w.finish_bytes()
            }
        }
    };
}

control_records! {
    /// A leader took over.
    LeaderChange(LeaderChangeMessage) = 2,
    /// A snapshot starts.
    SnapshotHeader(SnapshotHeaderRecord) = 3,
    /// A snapshot ends.
    SnapshotFooter(SnapshotFooterRecord) = 4,
    /// The quorum's protocol.
    KRaftVersion(KRaftVersionRecord) = 5,
    /// The voters.
    KRaftVoters(VotersRecord) = 6,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes are those which Kafka 4.3's own serializers write for the same record.
    #[track_caller]
    fn check(record: ControlRecord, expected: &[u8]) {
        let value = record.encode();
        assert_eq!(value, expected);
        assert_eq!(
            ControlRecord::decode(record.record_type(), value).unwrap(),
            Some(record)
        );
    }

    #[test]
    fn leader_change_stands_as_its_version_says() {
        let voter = Voter {
            voter_id: 1,
            ..Default::default()
        };
        let (voters, granting_voters) = (vec![voter.clone()], vec![voter]);
        let v0 = LeaderChangeMessage {
            version: 0,
            leader_id: 1,
            voters,
            granting_voters,
        };
        check(
            ControlRecord::LeaderChange(v0),
            &[0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 1, 0, 2, 0, 0, 0, 1, 0, 0],
        );

        let voters = vec![Voter {
            voter_id: 1,
            voter_directory_id: Uuid::from_u128(8),
        }];
        let v1 = LeaderChangeMessage {
            version: 1,
            leader_id: 1,
            voters,
            granting_voters: vec![],
        };
        let directory = Uuid::from_u128(8).into_bytes();
        let expected = [
            &[0, 1, 0, 0, 0, 1, 2, 0, 0, 0, 1][..],
            &directory,
            &[0, 1, 0],
        ]
        .concat();
        check(ControlRecord::LeaderChange(v1), &expected);
    }

    #[test]
    fn snapshots_and_voters_stand_as_kafka_writes_them() {
        let header = SnapshotHeaderRecord {
            version: 0,
            last_contained_log_timestamp: 1000,
        };
        check(
            ControlRecord::SnapshotHeader(header),
            &[0, 0, 0, 0, 0, 0, 0, 0, 3, 0xe8, 0],
        );
        check(
            ControlRecord::SnapshotFooter(SnapshotFooterRecord { version: 0 }),
            &[0, 0, 0],
        );
        let version = KRaftVersionRecord {
            version: 0,
            k_raft_version: 1,
        };
        check(ControlRecord::KRaftVersion(version), &[0, 0, 0, 1, 0]);

        let voter = VoterWithEndpoints {
            voter_id: 1,
            voter_directory_id: Uuid::from_u128(8),
            endpoints: vec![Endpoint {
                name: Text::from("C"),
                host: Text::from("h"),
                port: 9093,
            }],
            k_raft_version_feature: KRaftVersionFeature {
                min_supported_version: 0,
                max_supported_version: 1,
            },
        };
        let directory = Uuid::from_u128(8).into_bytes();
        let endpoints = [2, 2, b'C', 2, b'h', 0x23, 0x85, 0];
        let expected = [
            &[0, 0, 2, 0, 0, 0, 1][..],
            &directory,
            &endpoints,
            &[0, 0, 0, 1, 0, 0, 0],
        ]
        .concat();
        check(
            ControlRecord::KRaftVoters(VotersRecord {
                version: 0,
                voters: vec![voter],
            }),
            &expected,
        );
    }

    #[test]
    fn unknown_types_are_stepped_over_and_unknown_versions_are_not() {
        assert_eq!(
            ControlRecord::decode(99, Bytes::from_static(&[0, 0])).unwrap(),
            None
        );
        assert!(ControlRecord::decode(4, Bytes::from_static(&[0, 9, 0])).is_err());
        assert!(ControlRecord::decode(4, Bytes::from_static(&[0])).is_err());
    }
}
