//! Threads over all the broker's CPUs, shared by its cores, for work that computes and sleeps: opening logs at a start.
//!
//! A core's own blocking thread (see [`super::blocking()`]) is one, and stays on the core's CPU: a core that owns the larger
//! logs would keep the others waiting. A crew takes work in the order in which it is given, whoever gives it.
//!
//! A thread is made when there is work that no idle one takes, up to a bound; all end when the crew is dropped.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::{io, thread};

use super::answer::Answer;
use super::background;
use super::blocking::blocking;

type Work = Box<dyn FnOnce() + Send>;

/// The threads; see the module.
#[derive(Debug)]
pub struct Crew {
    shared: Arc<Shared>,
    most_threads: usize,
    cpus: Vec<usize>,
}

#[derive(Debug)]
struct Shared {
    inner: Mutex<Inner>,
    given: Condvar,
}

#[derive(Default)]
struct Inner {
    work: VecDeque<Work>,
    threads: usize,
    idle: usize,
    ended: bool,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner")
            .field("waiting", &self.work.len())
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

impl Crew {
    /// A crew of at most `most_threads` on these CPUs; none runs before there is work.
    pub fn new(most_threads: usize, cpus: Vec<usize>) -> Crew {
        Crew {
            shared: Arc::new(Shared {
                inner: Mutex::default(),
                given: Condvar::new(),
            }),
            most_threads: most_threads.max(1),
            cpus,
        }
    }

    /// Has `work` done on a thread of the crew and waits for its result without holding up the core; on the core's own blocking
    /// thread if the system gives no thread.
    ///
    /// # Cancel safety
    /// Dropping the future does not take back the work; its result is then lost.
    pub async fn run<R: Send + 'static>(&self, work: impl FnOnce() -> R + Send + 'static) -> R {
        let answer = Answer::default();
        let given = answer.clone();
        let work: Work = Box::new(move || given.give(work()));
        if let Some(refused) = self.give(work) {
            blocking(refused).await;
        }
        answer.await
    }

    /// Gives the work back if there is no thread that could do it.
    fn give(&self, work: Work) -> Option<Work> {
        let mut inner = self.shared.lock();
        let wanted = inner.idle <= inner.work.len() && inner.threads < self.most_threads;
        if wanted && let Err(error) = self.make_thread(&mut inner) {
            log::warn!("no further thread for opening logs: {error}");
            if inner.threads == 0 {
                return Some(work);
            }
        }
        inner.work.push_back(work);
        drop(inner);
        self.shared.given.notify_one();
        None
    }

    fn make_thread(&self, inner: &mut Inner) -> io::Result<()> {
        let (shared, cpus) = (Arc::clone(&self.shared), self.cpus.clone());
        let name = format!("log-recovery-{}", inner.threads);
        let thread = thread::Builder::new().name(name);
        thread.spawn(move || {
            background::stay_on(&cpus);
            shared.work_for_ever();
        })?;
        inner.threads += 1;
        Ok(())
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.given.notify_all();
    }
}

impl Shared {
    fn work_for_ever(&self) {
        let mut inner = self.lock();
        loop {
            if let Some(work) = inner.work.pop_front() {
                drop(inner);
                work();
                inner = self.lock();
            } else if inner.ended {
                return;
            } else {
                inner.idle += 1;
                let waited = self.given.wait(inner);
                inner = waited.unwrap_or_else(PoisonError::into_inner);
                inner.idle -= 1;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::disk::tests::on_executor;
    use std::sync::Barrier;

    #[test]
    fn as_much_is_done_at_once_as_there_may_be_threads() {
        let crew = Arc::new(Crew::new(3, vec![]));
        on_executor(async move {
            let meeting = Arc::new(Barrier::new(3));
            let tasks: Vec<_> = (0..30)
                .map(|n| {
                    let (crew, meeting) = (Arc::clone(&crew), Arc::clone(&meeting));
                    glommio::spawn_local(async move {
                        // Each third would wait for ever with fewer threads.
                        crew.run(move || {
                            meeting.wait();
                            n
                        })
                        .await
                    })
                })
                .collect();
            let mut results = Vec::new();
            for task in tasks {
                results.push(task.await);
            }
            assert_eq!(results, (0..30).collect::<Vec<_>>());
            assert_eq!(crew.shared.lock().threads, 3);
        });
    }

    #[test]
    fn the_threads_end_with_the_crew() {
        let crew = Crew::new(2, vec![]);
        let shared = Arc::downgrade(&crew.shared);
        on_executor(async move { assert_eq!(crew.run(|| 7).await, 7) });
        while shared.strong_count() > 0 {
            thread::yield_now();
        }
    }

    #[test]
    fn work_is_done_on_the_cpus_of_the_crew() {
        let cpu = core_affinity::get_core_ids().unwrap()[0].id;
        let crew = Crew::new(1, vec![cpu]);
        let ids = on_executor(async move { crew.run(core_affinity::get_core_ids).await });
        assert_eq!(
            ids.map(|ids| ids.iter().map(|id| id.id).collect()),
            Some(vec![cpu])
        );
    }
}
