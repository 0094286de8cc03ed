//! What the metadata log promises and this broker does not keep: access control lists, credentials, tokens, quotas.
//!
//! Pure. A record that makes a promise adds to it, the one that takes it back takes it out, so that a log in which all of them were
//! removed again is as good as one that never had any. Nothing here is ever enforced.

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::wire::WireError;
use crate::wire::security_records::{
    AccessControlEntryRecord, ClientQuotaRecord, DelegationTokenRecord,
    RemoveAccessControlEntryRecord, RemoveDelegationTokenRecord, RemoveUserScramCredentialRecord,
    UserScramCredentialRecord, decode,
};

/// What a promise is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Kind {
    AccessControlLists,
    ScramCredentials,
    DelegationTokens,
    ClientQuotas,
}

impl Kind {
    fn words(self) -> &'static str {
        match self {
            Kind::AccessControlLists => "access control lists",
            Kind::ScramCredentials => "SCRAM credentials",
            Kind::DelegationTokens => "delegation tokens",
            Kind::ClientQuotas => "client quotas",
        }
    }
}

/// The promises that hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Promises(BTreeSet<(Kind, String)>);

impl Promises {
    /// Takes a record's body; a type that promises nothing changes nothing.
    ///
    /// # Errors
    /// A body that is not what type and version say.
    pub fn take(&mut self, record_type: u32, version: u32, body: &Bytes) -> Result<(), WireError> {
        let (kind, key, holds) = match record_type {
            18 => {
                let record: AccessControlEntryRecord = decode(version, body)?;
                (Kind::AccessControlLists, record.id.to_string(), true)
            }
            19 => {
                let record: RemoveAccessControlEntryRecord = decode(version, body)?;
                (Kind::AccessControlLists, record.id.to_string(), false)
            }
            11 => {
                let record: UserScramCredentialRecord = decode(version, body)?;
                let key = format!("{} {}", record.mechanism, record.name);
                (Kind::ScramCredentials, key, true)
            }
            22 => {
                let record: RemoveUserScramCredentialRecord = decode(version, body)?;
                let key = format!("{} {}", record.mechanism, record.name);
                (Kind::ScramCredentials, key, false)
            }
            10 => {
                let record: DelegationTokenRecord = decode(version, body)?;
                (Kind::DelegationTokens, record.token_id.to_string(), true)
            }
            26 => {
                let record: RemoveDelegationTokenRecord = decode(version, body)?;
                (Kind::DelegationTokens, record.token_id.to_string(), false)
            }
            14 => {
                let record: ClientQuotaRecord = decode(version, body)?;
                let key = format!("{:?} {}", record.entity, record.key);
                (Kind::ClientQuotas, key, !record.remove)
            }
            _ => return Ok(()),
        };
        if holds {
            self.0.insert((kind, key));
        } else {
            self.0.remove(&(kind, key));
        }
        Ok(())
    }

    /// What is promised, each kind once.
    pub fn kinds(&self) -> Vec<&'static str> {
        let mut kinds: Vec<_> = self.0.iter().map(|(kind, _)| kind.words()).collect();
        kinds.dedup();
        kinds
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::schema::Message;
    use crate::wire::security_records::{QuotaEntity, encode};
    use uuid::Uuid;

    fn take(promises: &mut Promises, record_type: u32, record: &impl Message) {
        promises.take(record_type, 0, &encode(record)).unwrap();
    }

    #[test]
    fn what_was_promised_and_taken_back_no_longer_counts() {
        let mut promises = Promises::default();
        let id = Uuid::from_u128(3);
        let acl = AccessControlEntryRecord {
            id,
            ..Default::default()
        };
        let scram = UserScramCredentialRecord {
            name: "a".into(),
            mechanism: 1,
            ..Default::default()
        };
        let token = DelegationTokenRecord {
            token_id: "t".into(),
            ..Default::default()
        };
        let entity = QuotaEntity {
            entity_type: "user".into(),
            entity_name: None,
        };
        let mut quota = ClientQuotaRecord {
            entity: vec![entity],
            key: "producer_byte_rate".into(),
            value: 1,
            remove: false,
        };
        take(&mut promises, 18, &acl);
        take(&mut promises, 11, &scram);
        take(&mut promises, 10, &token);
        take(&mut promises, 14, &quota);
        assert_eq!(
            promises.kinds(),
            [
                "access control lists",
                "SCRAM credentials",
                "delegation tokens",
                "client quotas"
            ]
        );
        quota.remove = true;
        take(&mut promises, 14, &quota);
        take(&mut promises, 19, &RemoveAccessControlEntryRecord { id });
        let token = RemoveDelegationTokenRecord {
            token_id: "t".into(),
        };
        take(&mut promises, 26, &token);
        let mut other = RemoveUserScramCredentialRecord {
            name: "a".into(),
            mechanism: 2,
        };
        take(&mut promises, 22, &other);
        assert_eq!(promises.kinds(), ["SCRAM credentials"], "another mechanism");
        other.mechanism = 1;
        take(&mut promises, 22, &other);
        assert_eq!(promises, Promises::default());
    }

    #[test]
    fn a_promise_that_cannot_be_read_is_an_error() {
        let mut promises = Promises::default();
        assert!(promises.take(18, 0, &Bytes::from_static(b"x")).is_err());
        assert!(promises.take(18, 9, &Bytes::from_static(b"x")).is_err());
        promises.take(27, 0, &Bytes::from_static(b"x")).unwrap();
    }
}
