//! Who votes for the leader of the metadata log, and in which epoch the next leader writes.
//!
//! Pure. Two places say it, and both are Kafka's: control records of the log and its snapshots, and the file `quorum-state` beside
//! them, JSON of which two keys matter here:
//!
//! | `data_version` | since | what is read |
//! |---|---|---|
//! | 0 | KIP-595 | `leaderEpoch`, and `voterId` of each of the `currentVoters` |
//! | 1 | KIP-853 | `leaderEpoch`; the voters are in the log |

use std::collections::BTreeSet;

use crate::types::LeaderEpoch;
use crate::wire::control_records::ControlRecord;

/// Versions of the quorum's protocol that this broker can go on with (`kraft.version`).
pub const KRAFT_VERSION_MAX: i16 = 1;

/// What is known of the quorum.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Quorum {
    /// Version of the quorum's protocol; from 1 on the voters stand in the log.
    pub kraft_version: i16,
    /// Node ids of the voters; none if nothing says them.
    pub voters: BTreeSet<i32>,
    /// Epoch of the newest batch of the log or, if that has none, of its snapshot.
    pub written: LeaderEpoch,
    /// The epoch a controller that keeps `quorum-state` was last in.
    pub kept: Option<LeaderEpoch>,
}

impl Quorum {
    /// Takes a control record of the log or of a snapshot.
    pub fn take(&mut self, record: &ControlRecord) {
        match record {
            ControlRecord::KRaftVersion(record) => self.kraft_version = record.k_raft_version,
            ControlRecord::KRaftVoters(record) => {
                self.voters = record.voters.iter().map(|voter| voter.voter_id).collect();
            }
            ControlRecord::LeaderChange(record) if self.kraft_version == 0 => {
                self.voters = record.voters.iter().map(|voter| voter.voter_id).collect();
            }
            _ => {}
        }
    }

    /// Takes the text of `quorum-state`.
    ///
    /// # Errors
    /// A sentence, if it is no such text.
    pub fn take_state(&mut self, text: &str) -> Result<(), String> {
        let epoch = numbers(text, "leaderEpoch").next();
        let epoch = epoch.ok_or("it has no leaderEpoch")??;
        let epoch = i32::try_from(epoch).map_err(|_| "its leaderEpoch cannot be")?;
        self.kept = Some(LeaderEpoch(epoch));
        let voters = numbers(text, "voterId").collect::<Result<Vec<_>, _>>()?;
        if self.kraft_version == 0 && !voters.is_empty() {
            let voter = |id| i32::try_from(id).map_err(|_| "a voterId in it cannot be");
            self.voters = voters.into_iter().map(voter).collect::<Result<_, _>>()?;
        }
        Ok(())
    }

    /// The epoch in which the single node writes, and whether it begins with its first batch. What another controller wrote
    /// ends its epoch; an epoch of our own goes on over restarts, since nobody else can have led in it.
    pub fn next_epoch(&self) -> (LeaderEpoch, bool) {
        let LeaderEpoch(written) = self.written;
        match self.kept {
            Some(LeaderEpoch(kept)) if kept >= written => (LeaderEpoch(kept + 1), true),
            _ if written == 0 => (LeaderEpoch(1), true),
            _ => (self.written, false),
        }
    }
}

/// The whole numbers that stand behind `key`, in a text of JSON without strings that could look like one.
fn numbers<'a>(text: &'a str, key: &str) -> impl Iterator<Item = Result<i64, String>> + 'a {
    let quoted = format!("\"{key}\"");
    let mut rest = text;
    std::iter::from_fn(move || {
        let at = rest.find(&quoted)?;
        rest = &rest[at + quoted.len()..];
        let value = rest
            .trim_start()
            .strip_prefix(':')
            .unwrap_or("")
            .trim_start();
        let end = value
            .find(|c: char| !c.is_ascii_digit() && c != '-')
            .unwrap_or(value.len());
        let number = value[..end].parse();
        Some(number.map_err(|_| format!("what stands behind {quoted} is no number")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::control_records::{LeaderChangeMessage, Voter};

    const DYNAMIC: &str = r#"{"leaderId":1,"leaderEpoch":7,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1}"#;
    const STATIC: &str = r#"{"clusterId":"","leaderId":2,"leaderEpoch":4,"votedId":-1,"appliedOffset":0,"currentVoters":[{"voterId":1},{"voterId":2}],"data_version":0}"#;

    #[test]
    fn what_kafka_keeps_of_the_quorum_is_read() {
        let mut quorum = Quorum::default();
        quorum.take_state(DYNAMIC).unwrap();
        assert_eq!(quorum.kept, Some(LeaderEpoch(7)));
        assert!(quorum.voters.is_empty());
        quorum.take_state(STATIC).unwrap();
        assert_eq!(quorum.kept, Some(LeaderEpoch(4)));
        assert_eq!(quorum.voters, BTreeSet::from([1, 2]));
    }

    #[test]
    fn a_text_that_is_no_state_is_refused() {
        for text in [
            "",
            "{}",
            r#"{"leaderEpoch":"x"}"#,
            r#"{"leaderEpoch":99999999999}"#,
        ] {
            assert!(Quorum::default().take_state(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn another_controllers_epoch_ends_and_ones_own_goes_on() {
        let epoch = |written, kept: Option<i32>| {
            let quorum = Quorum {
                written: LeaderEpoch(written),
                kept: kept.map(LeaderEpoch),
                ..Quorum::default()
            };
            let (LeaderEpoch(epoch), begins) = quorum.next_epoch();
            (epoch, begins)
        };
        assert_eq!(epoch(0, None), (1, true), "a new cluster");
        assert_eq!(epoch(1, None), (1, false), "a restart");
        assert_eq!(epoch(3, Some(3)), (4, true), "Kafka wrote last");
        assert_eq!(
            epoch(3, Some(5)),
            (6, true),
            "Kafka was elected and wrote nothing"
        );
        assert_eq!(epoch(4, Some(3)), (4, false), "this broker wrote last");
    }

    #[test]
    fn a_leaders_message_names_voters_only_where_the_log_does_not() {
        let message = ControlRecord::LeaderChange(LeaderChangeMessage {
            version: 0,
            leader_id: 1,
            voters: vec![Voter {
                voter_id: 9,
                ..Voter::default()
            }],
            granting_voters: Vec::new(),
        });
        let mut quorum = Quorum::default();
        quorum.take(&message);
        assert_eq!(quorum.voters, BTreeSet::from([9]));
        let mut dynamic = Quorum {
            kraft_version: 1,
            ..Quorum::default()
        };
        dynamic.take(&message);
        assert!(dynamic.voters.is_empty());
    }
}
