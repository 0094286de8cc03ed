//! The connections of one core: who is idle, who hoards memory while it is short, who must go when the broker stops.

use super::budget::Budget;
use super::stream::Stream;
use crate::limits;
use crate::metrics::{Count, here};
use crate::shard::Signal;
use slab::Slab;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::net::Shutdown;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// What the core knows of one of its connections.
#[derive(Debug)]
pub struct Entry {
    stream: Rc<Stream>,
    last_activity: Cell<Instant>,
    /// Inside a frame: bytes have come that are not yet a request.
    pub partial: Rc<Cell<bool>>,
    /// Raised when the peer has gone, or must go: waiting requests of the connection give up.
    pub gone: Rc<Signal>,
    pins: RefCell<Option<Pins>>,
}

/// Says whether what a connection still has to send lies in a file that has been deleted.
struct Pins(Box<dyn Fn() -> bool>);

impl fmt::Debug for Pins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pins")
    }
}

impl Entry {
    /// How to find out whether the connection holds what has been deleted.
    pub fn ask_for_deleted(&self, holds: impl Fn() -> bool + 'static) {
        *self.pins.borrow_mut() = Some(Pins(Box::new(holds)));
    }

    fn holds_deleted(&self) -> bool {
        self.pins.borrow().as_ref().is_some_and(|pins| pins.0())
    }

    /// Notes that the client has sent something.
    pub fn touch(&self, now: Instant) {
        self.last_activity.set(now);
    }

    /// Why the connection must go, if it must.
    fn fault(
        &self,
        now: Instant,
        idle: Option<Duration>,
        memory_short: bool,
    ) -> Option<&'static str> {
        let quiet = now.saturating_duration_since(self.last_activity.get());
        let most = limits::STALLED_WHEN_SHORT;
        if idle.is_some_and(|idle| quiet >= idle) {
            Some("idle")
        } else if memory_short && self.partial.get() && quiet >= most {
            Some("stalled inside a frame while memory is short")
        } else if memory_short && self.stream.full_for(now) >= most {
            Some("it takes no answers while memory is short")
        } else if self.stream.full_for(now) >= limits::STALLED_READER_CHECK && self.holds_deleted()
        {
            Some("it takes no answers, and what it is to get has been deleted")
        } else {
            None
        }
    }
}

/// The connections of one core.
#[derive(Debug, Default)]
pub struct Registry {
    entries: RefCell<Slab<Rc<Entry>>>,
    empty: RefCell<Option<Rc<Signal>>>,
}

/// A connection's place in the registry; left on drop.
#[derive(Debug)]
pub struct Registered {
    registry: Rc<Registry>,
    key: usize,
    /// The connection's entry.
    pub entry: Rc<Entry>,
}

impl Registry {
    /// Enters a connection.
    pub fn enter(self: &Rc<Self>, stream: Rc<Stream>) -> Registered {
        let entry = Rc::new(Entry {
            stream,
            last_activity: Cell::new(Instant::now()),
            partial: Rc::default(),
            gone: Signal::new(),
            pins: RefCell::new(None),
        });
        here().count(Count::ConnectionsOpened, 1);
        let key = self.entries.borrow_mut().insert(Rc::clone(&entry));
        Registered {
            registry: Rc::clone(self),
            key,
            entry,
        }
    }

    /// The number of connections.
    pub fn len(&self) -> usize {
        self.entries.borrow().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.borrow().is_empty()
    }

    /// Looks through the connections every few seconds, for as long as the core runs.
    pub async fn sweep_for_ever(self: Rc<Self>, idle: Option<Duration>, budget: Rc<Budget>) {
        loop {
            glommio::timer::sleep(limits::CONNECTION_SWEEP).await;
            self.sweep(Instant::now(), idle, budget.is_exhausted());
        }
    }

    fn sweep(&self, now: Instant, idle: Option<Duration>, memory_short: bool) {
        for (_, entry) in self.entries.borrow().iter() {
            if let Some(fault) = entry.fault(now, idle, memory_short) {
                log::debug!("closing {}: {fault}", entry.stream.peer());
                entry.gone.raise();
                entry.stream.shut_down(Shutdown::Both);
            }
        }
    }

    /// No further request is taken; what was received is answered. Resolves when the last connection has gone, and cuts
    /// those off that need longer than `grace`.
    pub async fn drain(self: &Rc<Self>, grace: Duration) {
        for (_, entry) in self.entries.borrow().iter() {
            entry.stream.shut_down(Shutdown::Read);
        }
        if self.is_empty() {
            return;
        }
        let empty = Signal::new();
        *self.empty.borrow_mut() = Some(Rc::clone(&empty));
        futures_lite::future::or(empty.wait(), async {
            glommio::timer::sleep(grace).await;
        })
        .await;
        for (_, entry) in self.entries.borrow().iter() {
            log::warn!(
                "{} did not take its answers in time and is cut off",
                entry.stream.peer()
            );
            entry.stream.shut_down(Shutdown::Both);
        }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        here().count(Count::ConnectionsClosed, 1);
        self.entry.gone.raise();
        self.registry.entries.borrow_mut().remove(self.key);
        if self.registry.is_empty()
            && let Some(empty) = self.registry.empty.borrow().as_ref()
        {
            empty.raise();
        }
    }
}
