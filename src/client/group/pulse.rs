//! Says to the coordinator that a member is still there, on a thread of its own: also while its owner works, or waits for a pipe that
//! nobody reads.
//!
//! It speaks for one generation at a time and rests between two. What the coordinator answers is for the owner to act upon at its
//! next poll; who does not poll for `max.poll.interval.ms` is not spoken for any longer, so that its share goes to others.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::GroupOptions;
use super::member::{Identity, Member};
use crate::client::error::ClientError;

/// The owner's side. The thread ends after this is dropped.
pub struct Pulse {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    ended: Condvar,
}

struct State {
    /// Who is spoken for; nobody between two generations.
    speaks_for: Option<Identity>,
    polled_at: Instant,
    /// Why the generation is over, as the coordinator says; nothing is said after it.
    failure: Option<ClientError>,
    has_ended: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change is whole: one that panicked left nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pulse {
    /// Starts the thread; `member` is a connection of its own to the coordinator.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(member: Member, options: &GroupOptions) -> Result<Pulse, ClientError> {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                speaks_for: None,
                polled_at: Instant::now(),
                failure: None,
                has_ended: false,
            }),
            ended: Condvar::new(),
        });
        let (theirs, interval) = (Arc::clone(&shared), options.heartbeat_interval);
        let patience = options.rebalance_timeout;
        thread::Builder::new()
            .name("heartbeat".to_owned())
            .spawn(move || beat(&theirs, member, interval, patience))
            .map_err(ClientError::Thread)?;
        Ok(Pulse { shared })
    }

    /// The owner is at work: from now on its generation is spoken for.
    pub fn speak_for(&self, identity: Identity) {
        let mut state = self.shared.lock();
        state.speaks_for = Some(identity);
        state.failure = None;
        state.polled_at = Instant::now();
    }

    /// Nobody is spoken for until the next generation.
    pub fn rest(&self) {
        let mut state = self.shared.lock();
        state.speaks_for = None;
        state.failure = None;
    }

    /// The owner polls.
    ///
    /// # Errors
    /// What the coordinator has said against its generation.
    pub fn polled(&self) -> Result<(), ClientError> {
        let mut state = self.shared.lock();
        state.polled_at = Instant::now();
        state.failure.take().map_or(Ok(()), Err)
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.shared.lock().has_ended = true;
        self.shared.ended.notify_one();
    }
}

fn beat(shared: &Shared, mut member: Member, interval: Duration, patience: Duration) {
    loop {
        let state = shared.lock();
        let waited = shared
            .ended
            .wait_timeout_while(state, interval, |state| !state.has_ended);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.has_ended {
            return;
        }
        let may_speak = state.failure.is_none() && state.polled_at.elapsed() < patience;
        let Some(identity) = state.speaks_for.clone().filter(|_| may_speak) else {
            continue;
        };
        drop(state);
        let answered = member.heartbeat(&identity);
        let mut state = shared.lock();
        // The owner may have gone on to another generation meanwhile.
        if state.speaks_for.as_ref() == Some(&identity) {
            state.failure = answered.err();
        }
    }
}
