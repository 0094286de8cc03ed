//! What has expired: positions that nobody has needed for long, and groups without any.

use super::offsets::Position;
use super::settings::GroupSettings;
use super::state::{Group, State};
use super::turn::Turn;
use crate::types::TimestampMs;

/// From when on retention counts.
#[derive(Clone, Copy)]
enum Since {
    Commit,
    Moment(TimestampMs),
}

impl Group {
    /// Forgets positions that have expired, and the group if it has neither positions nor members. How many were looked at.
    pub fn forget_expired(&mut self, turn: &mut Turn) -> usize {
        if self.forgetting.is_some() {
            return 0;
        }
        let Some(since) = self.retained_since() else {
            return 0;
        };
        let mut expired = Vec::new();
        let mut known = 0;
        for (topic, partition) in self.offsets.known() {
            known += 1;
            if self.is_subscribed(topic) || self.offsets.is_changing(topic, partition) {
                continue;
            }
            let position = self.offsets.get(topic, partition);
            if position.is_some_and(|p| has_expired(p, since, turn.now.wall, turn.settings)) {
                expired.push((topic.to_owned(), partition));
            }
        }
        let nothing_left = expired.len() == known
            && self.state == State::Empty
            && self.pending.is_empty()
            && self.writes_under_way == 0;
        if nothing_left {
            self.forget(turn, expired);
        } else {
            self.forget_positions(turn, expired);
        }
        known
    }

    /// `None`: nothing of it expires as things stand.
    fn retained_since(&self) -> Option<Since> {
        if self.protocol_type.is_none() {
            // It only stores offsets.
            return Some(Since::Commit);
        }
        match self.state {
            State::Empty => Some(self.state_since.map_or(Since::Commit, Since::Moment)),
            State::Stable if self.is_consumer() && self.subscribed.is_some() => Some(Since::Commit),
            State::Stable | State::Preparing | State::Completing => None,
        }
    }
}

fn has_expired(
    position: &Position,
    since: Since,
    now: TimestampMs,
    settings: &GroupSettings,
) -> bool {
    if let Some(expires) = position.expires {
        return now >= expires;
    }
    let since = match since {
        Since::Commit => position.commit_timestamp,
        Since::Moment(moment) => moment,
    };
    now.0.saturating_sub(since.0) >= settings.offsets_retention_ms
}
