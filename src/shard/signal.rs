//! A flag on one core that tasks can wait for. It is raised once and stays.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Raised once, seen by everyone who waits.
#[derive(Debug, Default)]
pub struct Signal {
    raised: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
}

impl Signal {
    /// A signal that is not raised.
    pub fn new() -> Rc<Signal> {
        Rc::default()
    }

    /// Raises it; a second time changes nothing.
    pub fn raise(&self) {
        self.raised.set(true);
        for waker in self.waiting.take() {
            waker.wake();
        }
    }

    /// Whether it is raised.
    pub fn is_raised(&self) -> bool {
        self.raised.get()
    }

    /// Ready when raised; otherwise the task is woken when it is.
    pub fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        if self.raised.get() {
            return Poll::Ready(());
        }
        let mut waiting = self.waiting.borrow_mut();
        if !waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Waits until it is raised.
    pub async fn wait(&self) {
        poll_fn(|cx| self.poll(cx)).await;
    }
}
