//! What takes too long is aborted, and ids that nobody uses are forgotten.

use super::coordinator::Coordinator;
use super::outbox::{Pending, Waiting};
use super::state::State;
use super::{Now, records};

/// Ids that are looked at in one go.
const CHECKED_AT_ONCE: usize = 256;

impl Coordinator {
    /// Aborts transactions that are past their time, and tries again what could not be completed, every `transaction.abort.timed.out.transaction.cleanup.interval.ms`.
    pub(super) fn abort_what_takes_too_long(&mut self, now: Now) {
        if now.monotonic_ms < self.next_abort_check_ms {
            return;
        }
        for id in std::mem::take(&mut self.unfinished) {
            self.send_markers(&id);
        }
        let over = self.open.iter().take_while(|(at, _)| *at < now.wall.0);
        let idle = |id: &&String| self.ids[*id].pending.is_none();
        let late = over.map(|(_, id)| id).filter(idle);
        let late: Vec<String> = late.take(CHECKED_AT_ONCE).cloned().collect();
        if late.len() < CHECKED_AT_ONCE {
            let interval_ms = self.settings.abort_check_interval_ms.max(1);
            self.next_abort_check_ms = now.monotonic_ms + interval_ms;
        }
        for id in late {
            let next = self.ids[&id]
                .current
                .fenced(self.settings.version, now.wall.0);
            self.change(&id, next, Waiting::Nobody);
        }
    }

    /// Forgets ids without an open transaction that have not changed for `transactional.id.expiration.ms`.
    pub(super) fn forget_what_nobody_uses(&mut self, now: Now) {
        if now.monotonic_ms >= self.next_expiry_check_ms && self.to_check.is_empty() {
            let interval_ms = self.settings.expiry_check_interval_ms.max(1);
            self.next_expiry_check_ms = now.monotonic_ms + interval_ms;
            self.to_check = self.ids.keys().cloned().collect();
        }
        let step = self.to_check.len().min(CHECKED_AT_ONCE);
        let before = now.wall.0.saturating_sub(self.settings.id_expiration_ms);
        let mut expired = Vec::new();
        for id in self.to_check.drain(..step) {
            let Some(entry) = self.ids.get_mut(&id) else {
                continue;
            };
            let current = &entry.current;
            let unused = current.state == State::Empty || current.state.ended().is_some();
            if unused && entry.pending.is_none() && current.updated <= before {
                entry.pending = Some(Pending {
                    next: None,
                    waits: Waiting::Nobody,
                });
                expired.push(id);
            }
        }
        if !expired.is_empty() {
            let tombstones = expired.iter().map(|id| records::tombstone(id)).collect();
            self.out.write(expired, tombstones);
        }
    }
}
