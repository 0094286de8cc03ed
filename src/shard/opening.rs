//! Opening the logs at a start: on the crew's threads, over all cores, with a word now and then when it takes long.

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_lite::future::yield_now;

use super::Shard;
use crate::io::{Crew, blocking, sync_group};
use crate::log::{LogConfig, LogError, PartitionLog, RecoveryReport, Trust};
use crate::types::Offset;

/// Logs that are told of a sync before others get the core.
const LOGS_A_SLICE: usize = 64;
/// How often the log says how far it is.
const TELLING_INTERVAL: Duration = Duration::from_secs(1);

/// The start's opening of logs, shared by all cores.
#[derive(Debug)]
pub struct Opening {
    crew: Crew,
    began: Instant,
    /// Logs to open, as far as the cores have said.
    total: AtomicUsize,
    opened: AtomicUsize,
    checked_bytes: Arc<AtomicU64>,
}

impl Opening {
    /// By at most `threads` threads on `cpus`.
    pub fn new(threads: usize, cpus: Vec<usize>) -> Opening {
        Opening {
            crew: Crew::new(threads, cpus),
            began: Instant::now(),
            total: AtomicUsize::new(0),
            opened: AtomicUsize::new(0),
            checked_bytes: Arc::default(),
        }
    }

    /// A core has so many to open.
    pub(super) fn expect(&self, logs: usize) {
        self.total.fetch_add(logs, Ordering::Relaxed);
    }

    /// One is opened, or cannot be.
    pub(super) fn count(&self) {
        self.opened.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) async fn open(
        &self,
        dir: PathBuf,
        config: LogConfig,
        trust: Trust,
        log_start: Offset,
    ) -> Result<(Rc<PartitionLog>, RecoveryReport), LogError> {
        let checked_bytes = Arc::clone(&self.checked_bytes);
        PartitionLog::open_with(&self.crew, dir, config, trust, log_start, checked_bytes).await
    }

    /// Says how far it is, until dropped.
    async fn tell(self: Arc<Self>, every: Duration, say: impl Fn(String)) {
        loop {
            glommio::timer::sleep(every).await;
            say(format!("opening partitions: {}", self.progress()));
        }
    }

    fn progress(&self) -> String {
        format!(
            "{} of {}, {} bytes checked",
            self.opened.load(Ordering::Relaxed),
            self.total.load(Ordering::Relaxed),
            self.checked_bytes.load(Ordering::Relaxed),
        )
    }

    fn tell_end(&self, clean: bool) {
        let took = self.began.elapsed();
        if self.total.load(Ordering::Relaxed) > 0 && (!clean || took >= TELLING_INTERVAL) {
            log::info!(
                "opened partitions: {}, {} ms",
                self.progress(),
                took.as_millis()
            );
        }
    }
}

impl Shard {
    /// Does `work`, the opening of logs on all cores, and says now and then how far it is.
    pub(super) async fn telling<T>(&self, work: impl Future<Output = T>) -> T {
        let startup = self.startup.borrow().clone();
        let Some(startup) = startup else {
            return work.await;
        };
        let say = |line| log::info!("{line}");
        let telling =
            glommio::spawn_local(Arc::clone(&startup.opening).tell(TELLING_INTERVAL, say));
        let done = work.await;
        telling.cancel().await;
        startup
            .opening
            .tell_end(startup.clean.iter().all(|clean| *clean));
        done
    }

    /// After an unclean stop, once the broker is ready: syncs what the stopped run left in the page cache, with one sync for
    /// all logs of all cores, on a thread that none waits for. If it fails, each log asks for itself: whose bytes they
    /// were is not known otherwise.
    pub async fn sync_recovered(self: &Rc<Self>) {
        let mut all_synced = true;
        for (_, dir) in self.dirs.usable() {
            if let Err(error) = sync_group::sync_file_system_aside(&dir.path).await {
                log::error!(
                    "{}: syncing what was recovered failed: {error}; each partition is synced by itself",
                    dir.path.display()
                );
                all_synced = false;
            }
        }
        self.recovered_everywhere(all_synced).await;
    }

    /// A log has failed: nobody may believe what the checkpoint of written positions says of it.
    pub(super) fn spoil_written_checkpoint(&self) {
        let (written, dirs) = (Arc::clone(&self.written), Arc::clone(&self.dirs));
        let spoil_all = move || {
            for (_, dir) in dirs.usable() {
                written.spoil(&dir.path);
            }
        };
        glommio::spawn_local(blocking(spoil_all)).detach();
    }

    /// What was found at the start is on the device, or must be synced log by log.
    pub(super) async fn recovered_here(&self, synced: bool) {
        let partitions: Vec<_> = self.partitions.borrow().values().cloned().collect();
        for (at, partition) in partitions.iter().enumerate() {
            match synced {
                true => partition.log.recovered_is_synced(),
                false => partition.log.sync_recovered(),
            }
            if at % LOGS_A_SLICE == 0 {
                yield_now().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::disk::tests::on_executor;
    use std::cell::RefCell;

    #[test]
    fn what_takes_long_says_how_far_it_is() {
        let opening = Arc::new(Opening::new(1, vec![]));
        opening.expect(3);
        opening.count();
        opening.checked_bytes.fetch_add(500, Ordering::Relaxed);
        on_executor(async move {
            let said: Rc<RefCell<Vec<String>>> = Rc::default();
            let listener = Rc::clone(&said);
            let say = move |line| listener.borrow_mut().push(line);
            let telling = glommio::spawn_local(opening.tell(Duration::from_millis(1), say));
            while said.borrow().is_empty() {
                glommio::timer::sleep(Duration::from_millis(1)).await;
            }
            telling.cancel().await;
            assert_eq!(
                said.borrow()[0],
                "opening partitions: 1 of 3, 500 bytes checked"
            );
        });
    }
}
