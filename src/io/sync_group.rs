//! One sync of a whole file system for all who ask at the same moment.
//!
//! Closing thousands of logs one fdatasync at a time takes half a minute; `syncfs(2)` makes all of it durable in one go and
//! reports failed writebacks (Linux 5.8). Who asks while a sync is under way shares the next one, because the one under way
//! may have passed its files already. Per core: each executor's thread has groups of its own.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::future::poll_fn;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::task::{Poll, Waker};

use super::background;
use super::blocking::blocking;
use super::crew::Crew;

thread_local! {
    static GROUPS: RefCell<HashMap<PathBuf, Group>> = RefCell::default();
}

/// Those who wait for the next sync of one file system. The group exists while a sync is under way.
#[derive(Default)]
struct Group {
    waiting: Vec<Rc<RefCell<Ticket>>>,
}

#[derive(Default)]
struct Ticket {
    /// The outcome: nothing, or the errno of the failure.
    outcome: Option<Result<(), i32>>,
    waker: Option<Waker>,
}

/// Makes everything written so far on the file system of `dir` durable, names included. Those who name the same `dir` share.
///
/// # Errors
/// The directory cannot be opened, or something on the file system could not be written: whose it was is not known.
pub async fn sync_file_system(dir: &Path) -> io::Result<()> {
    let ticket = Rc::new(RefCell::new(Ticket::default()));
    let begin = GROUPS.with_borrow_mut(|groups| {
        let begin = !groups.contains_key(dir);
        groups
            .entry(dir.to_owned())
            .or_default()
            .waiting
            .push(ticket.clone());
        begin
    });
    if begin {
        glommio::spawn_local(sync_in_rounds(dir.to_owned())).detach();
    }
    let outcome = poll_fn(|context| {
        let mut ticket = ticket.borrow_mut();
        if let Some(outcome) = ticket.outcome {
            return Poll::Ready(outcome);
        }
        ticket.waker = Some(context.waker().clone());
        Poll::Pending
    });
    outcome.await.map_err(io::Error::from_raw_os_error)
}

/// Syncs until nobody waits any more.
async fn sync_in_rounds(dir: PathBuf) {
    while let Some(served) = next_round(&dir) {
        let target = dir.clone();
        let outcome = blocking(move || sync_now(&target)).await;
        let outcome = outcome.map_err(|error| error.raw_os_error().unwrap_or(libc::EIO));
        for ticket in served {
            let mut ticket = ticket.borrow_mut();
            ticket.outcome = Some(outcome);
            if let Some(waker) = ticket.waker.take() {
                waker.wake();
            }
        }
    }
}

/// Those whom the next sync serves; ends the group if there are none.
fn next_round(dir: &Path) -> Option<Vec<Rc<RefCell<Ticket>>>> {
    GROUPS.with_borrow_mut(|groups| {
        let waiting = std::mem::take(&mut groups.get_mut(dir)?.waiting);
        if waiting.is_empty() {
            groups.remove(dir);
            return None;
        }
        Some(waiting)
    })
}

/// [`sync_file_system`] for work that nobody waits for and that may take long: on a thread of its own, so that the core's blocking
/// thread stays free.
///
/// # Errors
/// As [`sync_file_system`], or the system gives no thread.
pub async fn sync_file_system_aside(dir: &Path) -> io::Result<()> {
    let dir = dir.to_owned();
    Crew::new(1, Vec::new())
        .run(move || {
            background::leave_the_core();
            sync_now(&dir)
        })
        .await
}

fn sync_now(dir: &Path) -> io::Result<()> {
    #[cfg(test)]
    let sync = super::power_loss::syncing_all(dir);
    let open = File::open(dir)?;
    // SAFETY: the descriptor is open for the whole call, and the call takes nothing else.
    if unsafe { libc::syncfs(open.as_raw_fd()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    #[cfg(test)]
    sync.done();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::disk::tests::on_executor;

    #[test]
    fn all_who_ask_at_once_are_answered() {
        let dir = tempfile::tempdir().unwrap();
        on_executor(async move {
            let path = dir.path().to_owned();
            let tasks: Vec<_> = (0..20)
                .map(|_| {
                    let path = path.clone();
                    glommio::spawn_local(async move { sync_file_system(&path).await })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            assert!(
                GROUPS.with_borrow(HashMap::is_empty),
                "no group outlives its work"
            );
        });
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error_for_everyone() {
        let dir = tempfile::tempdir().unwrap();
        on_executor(async move {
            let gone = dir.path().join("gone");
            let error = sync_file_system(&gone).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::NotFound);
        });
    }
}
