//! The fetches of this core's connections that wait to be told of an advance.

use super::signal::Signal;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// All waits of one core.
#[derive(Debug, Default)]
pub struct Waits {
    next_id: Cell<u64>,
    signals: RefCell<HashMap<u64, Rc<Signal>>>,
}

/// One wait; forgotten on drop.
#[derive(Debug)]
pub struct Wait {
    waits: Rc<Waits>,
    /// Unique on this core.
    pub id: u64,
    /// Raised when an owner tells of an advance.
    pub signal: Rc<Signal>,
}

impl Waits {
    /// A new wait.
    pub fn begin(self: &Rc<Self>) -> Wait {
        let id = self.next_id.get();
        self.next_id.set(id + 1);
        let signal = Signal::new();
        self.signals.borrow_mut().insert(id, Rc::clone(&signal));
        Wait {
            waits: Rc::clone(self),
            id,
            signal,
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.signals.borrow().len()
    }

    /// An owner has told; the wait may be over already.
    pub fn fired(&self, id: u64) {
        if let Some(signal) = self.signals.borrow().get(&id) {
            signal.raise();
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.waits.signals.borrow_mut().remove(&self.id);
    }
}
