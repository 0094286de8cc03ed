//! Answers leave in the order of their requests.
//!
//! The dispatcher pushes a reply for each request as soon as it is *dispatched*; the sender takes them in order and waits
//! for each to be *answered*. Only a produce may be dispatched behind an unanswered one; every other request waits for
//! [`ReplyQueue::all_answered`] first.

use super::send::lie_in_deleted;
use super::stopwatch::Stopwatch;
use crate::api::Outcome;
use crate::net::connection::Held;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Poll, Waker};

/// An answer that is there, or the wait for it.
pub enum Reply {
    /// Answered already.
    Ready(Outcome),
    /// Dispatched; the frame's memory is held until the answer is known.
    Later(Pin<Box<dyn Future<Output = Outcome>>>, Held),
}

#[derive(Default)]
struct State {
    replies: VecDeque<(Reply, Stopwatch)>,
    unanswered: usize,
    closed: bool,
    sender: Option<Waker>,
    dispatcher: Option<Waker>,
}

/// The replies of one connection, between its dispatcher and its sender.
#[derive(Default)]
pub struct ReplyQueue {
    state: RefCell<State>,
}

impl ReplyQueue {
    /// Adds the reply of the newest request.
    pub fn push(&self, reply: Reply, watch: Stopwatch) {
        let mut state = self.state.borrow_mut();
        state.unanswered += usize::from(matches!(reply, Reply::Later(..)));
        state.replies.push_back((reply, watch));
        wake(&mut state.sender);
    }

    /// No further reply will come: the sender ends after those that are queued.
    pub fn close(&self) {
        let mut state = self.state.borrow_mut();
        state.closed = true;
        wake(&mut state.sender);
        wake(&mut state.dispatcher);
    }

    /// Waits until fewer than `most` replies are queued.
    pub async fn room(&self, most: usize) {
        self.wait_as_dispatcher(|state| state.replies.len() < most)
            .await;
    }

    /// Waits until every request so far has its answer (sent or not).
    pub async fn all_answered(&self) {
        self.wait_as_dispatcher(|state| state.unanswered == 0).await;
    }

    /// The oldest reply, if there is one.
    pub fn try_next(&self) -> Option<(Reply, Stopwatch)> {
        let mut state = self.state.borrow_mut();
        let reply = state.replies.pop_front();
        if reply.is_some() {
            wake(&mut state.dispatcher);
        }
        reply
    }

    /// Waits for the oldest reply; `None` after [`ReplyQueue::close`] when all are taken.
    pub async fn next(&self) -> Option<(Reply, Stopwatch)> {
        poll_fn(|cx| {
            if let Some(reply) = self.try_next() {
                return Poll::Ready(Some(reply));
            }
            let mut state = self.state.borrow_mut();
            if state.closed {
                return Poll::Ready(None);
            }
            state.sender = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// Whether an answer that waits for its turn holds record data of a file that has been deleted.
    pub fn holds_deleted(&self) -> bool {
        let state = self.state.borrow();
        let holds = |(reply, _): &(Reply, Stopwatch)| match reply {
            Reply::Ready(Outcome::Answer(answer)) => lie_in_deleted(&answer.plans),
            Reply::Ready(_) | Reply::Later(..) => false,
        };
        state.replies.iter().any(holds)
    }

    /// The sender knows the answer of a reply it took as [`Reply::Later`].
    pub fn answered(&self) {
        let mut state = self.state.borrow_mut();
        state.unanswered -= 1;
        wake(&mut state.dispatcher);
    }

    async fn wait_as_dispatcher(&self, ready: impl Fn(&State) -> bool) {
        poll_fn(|cx| {
            let mut state = self.state.borrow_mut();
            if state.closed || ready(&state) {
                return Poll::Ready(());
            }
            state.dispatcher = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}
