//! How a thread of compaction and the core that owns the log speak: the thread asks and waits, the core answers under its own
//! borrow of the log.

use std::future::poll_fn;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use super::error::CleanError;
use super::pass::Cleaned;
use crate::io::SegmentFile;
use crate::log::index::MaxTimestamp;
use crate::types::Offset;

use super::plan::SealedSegment;

/// The open files of one segment.
#[derive(Clone, Debug)]
pub(in crate::log) struct Handles {
    pub(in crate::log) log: SegmentFile,
    pub(in crate::log) index: SegmentFile,
    pub(in crate::log) time_index: SegmentFile,
    /// If there are aborted transactions in it.
    pub(in crate::log) transaction_index: Option<SegmentFile>,
}

/// A segment that is to take the place of others. All its files are synced.
#[derive(Debug)]
pub(in crate::log) struct Replacement {
    /// Those it was made of, with their files: whoever reads them goes on while their names change.
    pub(in crate::log) old: Vec<(SealedSegment, Handles)>,
    pub(in crate::log) size: u64,
    pub(in crate::log) max_timestamp: MaxTimestamp,
    pub(in crate::log) handles: Handles,
}

/// What the thread asks.
#[derive(Debug)]
pub(super) enum Ask {
    /// To read from this segment from now on; refused if the log is not as it was.
    Replace(Box<Replacement>),
    /// The segment at this offset has its own name now, and these files have none that anybody looks for.
    Settled(Offset, Vec<PathBuf>),
    /// The thread has ended.
    Done(Result<Cleaned, CleanError>),
}

/// The place where they meet.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    inner: Mutex<Inner>,
    answered: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    ask: Option<Ask>,
    answer: Option<bool>,
    waker: Option<Waker>,
    /// Nobody answers any more.
    abandoned: bool,
}

impl Exchange {
    /// Asks, and sleeps until the core has answered.
    pub(super) fn ask(&self, ask: Ask) -> bool {
        let mut inner = self.put(ask);
        while !inner.abandoned {
            if let Some(answer) = inner.answer.take() {
                return answer;
            }
            let waited = self.answered.wait(inner);
            inner = waited.unwrap_or_else(PoisonError::into_inner);
        }
        false
    }

    /// Tells, without an answer.
    pub(super) fn tell(&self, ask: Ask) {
        drop(self.put(ask));
    }

    fn put(&self, ask: Ask) -> MutexGuard<'_, Inner> {
        let mut inner = self.lock();
        inner.ask = Some(ask);
        if let Some(waker) = inner.waker.take() {
            waker.wake();
        }
        inner
    }

    /// The next question, on the core.
    pub(super) async fn next(&self) -> Ask {
        poll_fn(|context| {
            let mut inner = self.lock();
            match inner.ask.take() {
                Some(ask) => Poll::Ready(ask),
                None => {
                    inner.waker = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Answers it.
    pub(super) fn answer(&self, answer: bool) {
        self.lock().answer = Some(answer);
        self.answered.notify_all();
    }

    /// From here on every question is answered with no.
    pub(super) fn abandon(&self) {
        self.lock().abandoned = true;
        self.answered.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
