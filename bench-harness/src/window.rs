//! What is on its way on one connection: a sender adds, a receiver takes in the same order, and the sender waits while
//! the window is full.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// One request that waits for its answer.
#[derive(Debug, Clone, Copy)]
pub struct Sent {
    /// How many records it has.
    pub records: u64,
    /// When it went to the socket, on the run's clock.
    pub sent_ns: u64,
}

/// The window of one connection.
#[derive(Debug)]
pub struct Window {
    size: usize,
    sent: Mutex<VecDeque<Sent>>,
    freed: Condvar,
}

impl Window {
    /// At most `size` requests (one at least).
    pub fn new(size: usize) -> Window {
        Window {
            size: size.max(1),
            sent: Mutex::default(),
            freed: Condvar::new(),
        }
    }

    /// Whether another request may go out.
    pub fn has_room(&self) -> bool {
        self.lock().len() < self.size
    }

    /// Waits until there is room, at most for `patience`.
    pub fn wait_for_room(&self, patience: Duration) {
        let guard = self.lock();
        let waited = self
            .freed
            .wait_timeout_while(guard, patience, |sent| sent.len() >= self.size);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// A request goes out: to be called before its first byte does.
    pub fn push(&self, sent: Sent) {
        self.lock().push_back(sent);
    }

    /// The answer to the oldest request came; `None` if none was sent.
    pub fn pop(&self) -> Option<Sent> {
        let oldest = self.lock().pop_front();
        self.freed.notify_one();
        oldest
    }

    /// Whether nothing is on its way.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// A poisoned window means that a thread of this run panicked: the data is whole all the same.
    fn lock(&self) -> MutexGuard<'_, VecDeque<Sent>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
