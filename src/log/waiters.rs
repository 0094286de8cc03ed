//! Who waits for a log to get somewhere: a record committed, a record synced.
//!
//! A wait is registered when it is asked for, not when it is first polled: if the log end offset goes back in between, the
//! wait fails, even if other records have taken those offsets when it is looked at.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::error::LogError;
use super::partition_log::PartitionLog;
use crate::types::Offset;

/// What is waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Goal {
    /// The high watermark is there.
    Committed,
    /// Everything before is on the device.
    Synced,
    /// Segments before it are sealed, or the attempt has failed: what is asked for is worth another look.
    Sealed,
    /// No task of the log is at work; the offset does not matter. No failure ends this wait.
    Idle,
}

#[derive(Debug)]
enum Slot {
    Free,
    Waiting {
        goal: Goal,
        up_to: Offset,
        waker: Option<Waker>,
    },
    Done(Result<(), LogError>),
}

/// The waits of one log. Their number is that of requests under way.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    slots: Vec<Slot>,
    free: Vec<usize>,
}

impl Waiters {
    fn register(&mut self, goal: Goal, up_to: Offset) -> usize {
        let waiting = Slot::Waiting {
            goal,
            up_to,
            waker: None,
        };
        match self.free.pop() {
            Some(at) => {
                self.slots[at] = waiting;
                at
            }
            None => {
                self.slots.push(waiting);
                self.slots.len() - 1
            }
        }
    }

    /// Ends the waits for `goal` up to `reached`.
    pub(super) fn reached(&mut self, goal: Goal, reached: Offset) {
        self.finish(&Ok(()), |wanted, up_to| wanted == goal && up_to <= reached);
    }

    /// Fails the waits for anything past `good`, and for seals: a segment that is waited for may be no more.
    pub(super) fn fail_after(&mut self, good: Offset, error: &LogError) {
        self.finish(&Err(error.clone()), |goal, up_to| {
            goal == Goal::Sealed || goal != Goal::Idle && up_to > good
        });
    }

    /// Fails all waits.
    pub(super) fn fail_all(&mut self, error: &LogError) {
        self.finish(&Err(error.clone()), |goal, _| goal != Goal::Idle);
    }

    /// Whether anybody waits for something at or before `reachable` to be synced.
    pub(super) fn any_sync_up_to(&self, reachable: Offset) -> bool {
        let wanted = |slot: &Slot| matches!(slot, Slot::Waiting { goal: Goal::Synced, up_to, .. } if *up_to <= reachable);
        self.slots.iter().any(wanted)
    }

    fn finish(&mut self, result: &Result<(), LogError>, over: impl Fn(Goal, Offset) -> bool) {
        for slot in &mut self.slots {
            if let Slot::Waiting { goal, up_to, waker } = slot
                && over(*goal, *up_to)
            {
                let waker = waker.take();
                *slot = Slot::Done(result.clone());
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
        }
    }

    fn poll(&mut self, at: usize, context: &Context<'_>) -> Poll<Result<(), LogError>> {
        match &mut self.slots[at] {
            Slot::Done(result) => Poll::Ready(result.clone()),
            Slot::Waiting { waker, .. } => {
                *waker = Some(context.waker().clone());
                Poll::Pending
            }
            Slot::Free => unreachable!("a wait is released only when it is dropped"),
        }
    }

    fn release(&mut self, at: usize) {
        self.slots[at] = Slot::Free;
        self.free.push(at);
    }
}

/// A wait for a log to get to an offset. Dropping it ends the wait and nothing else.
#[derive(Debug)]
pub(super) struct Wait {
    log: Rc<PartitionLog>,
    state: WaitState,
}

#[derive(Debug)]
enum WaitState {
    Known(Option<Result<(), LogError>>),
    Registered(usize),
}

impl Wait {
    /// A wait whose result is known.
    pub(super) fn ready(log: &Rc<PartitionLog>, result: Result<(), LogError>) -> Wait {
        Wait {
            log: log.clone(),
            state: WaitState::Known(Some(result)),
        }
    }

    /// A wait for `goal` up to `up_to`, exclusive.
    pub(super) fn register(log: &Rc<PartitionLog>, goal: Goal, up_to: Offset) -> Wait {
        let at = log.state.borrow_mut().waiters.register(goal, up_to);
        Wait {
            log: log.clone(),
            state: WaitState::Registered(at),
        }
    }
}

impl Future for Wait {
    type Output = Result<(), LogError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        match &mut this.state {
            WaitState::Known(result) => {
                Poll::Ready(result.take().expect("polled after it was ready"))
            }
            WaitState::Registered(at) => this.log.state.borrow_mut().waiters.poll(*at, context),
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if let WaitState::Registered(at) = self.state {
            self.log.state.borrow_mut().waiters.release(at);
        }
    }
}
