//! The memory that one core may hold in request frames.
//!
//! A frame takes its bytes from the budget as they arrive, not when their number is announced, and gives them back when its
//! request is answered. When the budget is used up, readers wait, so the sockets fill and the senders stall: that is the
//! back-pressure. One frame at a time may overdraw, or many half-read frames could wait for each other for ever.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// One core's budget for frames, in bytes.
#[derive(Debug)]
pub struct Budget {
    total: usize,
    used: Cell<usize>,
    overdraft_taken: Cell<bool>,
    waiting: RefCell<VecDeque<Waker>>,
}

impl Budget {
    /// A budget of `total` bytes.
    pub fn new(total: usize) -> Rc<Budget> {
        Rc::new(Budget {
            total,
            used: Cell::new(0),
            overdraft_taken: Cell::new(false),
            waiting: RefCell::new(VecDeque::new()),
        })
    }

    /// Bytes held at this moment.
    pub fn used(&self) -> usize {
        self.used.get()
    }

    /// Whether some reader waits for memory.
    pub fn is_exhausted(&self) -> bool {
        self.overdraft_taken.get() || !self.waiting.borrow().is_empty()
    }

    /// An empty share, to be grown as bytes arrive.
    pub fn share(self: &Rc<Self>) -> Share {
        Share {
            budget: Rc::clone(self),
            bytes: 0,
            overdraws: false,
        }
    }

    fn wake_all(&self) {
        for waker in self.waiting.take() {
            waker.wake();
        }
    }
}

/// What one frame holds of the budget; given back on drop.
#[derive(Debug)]
pub struct Share {
    budget: Rc<Budget>,
    bytes: usize,
    overdraws: bool,
}

impl Share {
    /// Takes `bytes` more, waiting until they are free.
    ///
    /// Cancel safety: nothing is taken if the future is dropped before it is ready.
    pub async fn grow(&mut self, bytes: usize) {
        poll_fn(|cx| {
            if self.try_grow(bytes) {
                return Poll::Ready(());
            }
            self.budget
                .waiting
                .borrow_mut()
                .push_back(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    fn try_grow(&mut self, bytes: usize) -> bool {
        let budget = &self.budget;
        let fits = budget.used.get() + bytes <= budget.total;
        if !fits && !self.overdraws {
            if budget.overdraft_taken.replace(true) {
                return false;
            }
            self.overdraws = true;
        }
        budget.used.set(budget.used.get() + bytes);
        self.bytes += bytes;
        true
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let used = self.budget.used.get();
        assert!(used >= self.bytes, "a frame gave back more than it took");
        self.budget.used.set(used - self.bytes);
        if self.overdraws {
            self.budget.overdraft_taken.set(false);
        }
        self.budget.wake_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_lite::future::{block_on, poll_once};

    #[test]
    fn bytes_come_back_when_a_share_is_dropped() {
        let budget = Budget::new(100);
        let mut share = budget.share();
        block_on(share.grow(60));
        assert_eq!(budget.used(), 60);
        drop(share);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn only_one_share_overdraws_and_the_rest_wait() {
        let budget = Budget::new(100);
        let (mut first, mut second, mut third) = (budget.share(), budget.share(), budget.share());
        block_on(first.grow(90));
        block_on(second.grow(90));
        block_on(second.grow(1000));
        assert!(block_on(poll_once(third.grow(90))).is_none());
        assert!(budget.is_exhausted());
        drop(second);
        assert!(
            block_on(poll_once(third.grow(90))).is_some(),
            "the overdraft is free again"
        );
    }
}
