//! When the coordinators of a core must be woken next.
//!
//! One timer serves them all. Whoever gets an earlier deadline moves it; later ones do not, so an alarm may ring early and
//! is then set anew.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Poll, Waker};

/// The one timer's setting.
#[derive(Default)]
pub struct Alarm {
    armed: Cell<Option<u64>>,
    moved: Cell<bool>,
    waiting: RefCell<Option<Waker>>,
}

impl Alarm {
    /// What the timer is set to, in milliseconds of the coordinators' clock.
    pub fn set(&self, due: Option<u64>) {
        self.armed.set(due);
        self.moved.set(false);
    }

    /// Somebody must be woken by `due`.
    pub fn not_later_than(&self, due: Option<u64>) {
        let Some(due) = due else { return };
        if self.armed.get().is_some_and(|armed| armed <= due) {
            return;
        }
        self.armed.set(Some(due));
        self.moved.set(true);
        if let Some(waker) = self.waiting.take() {
            waker.wake();
        }
    }

    /// Ready when the alarm must ring earlier than it was set to.
    pub async fn moved(&self) {
        poll_fn(|cx| {
            if self.moved.get() {
                return Poll::Ready(());
            }
            *self.waiting.borrow_mut() = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
