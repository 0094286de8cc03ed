//! Ctrl-C: the first asks every run to come to an end and be reported, the second ends the process, and with it the brokers
//! that it has started.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::run::BenchError;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
/// Brokers that were started here and are not waited for yet.
static BROKERS: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Set by the first SIGINT or SIGTERM.
///
/// # Errors
/// When the system lets nobody wait for signals.
pub fn interrupted() -> Result<&'static AtomicBool, BenchError> {
    static WAITING: OnceLock<Result<(), String>> = OnceLock::new();
    let waiting = WAITING.get_or_init(|| {
        let signals = Signals::new([SIGINT, SIGTERM]).map_err(|error| error.to_string())?;
        std::thread::spawn(move || wait_for(signals));
        Ok(())
    });
    match waiting {
        Ok(()) => Ok(&INTERRUPTED),
        Err(error) => Err(BenchError::Other(format!(
            "cannot wait for signals: {error}"
        ))),
    }
}

/// A broker that shall not outlive us.
pub fn broker_started(pid: u32) {
    brokers(|pids| pids.insert(pid));
}

/// It is gone, and its process id may become another's.
pub fn broker_ended(pid: u32) {
    brokers(|pids| pids.remove(&pid));
}

fn brokers<T>(change: impl FnOnce(&mut BTreeSet<u32>) -> T) -> T {
    change(&mut BROKERS.lock().unwrap_or_else(PoisonError::into_inner))
}

fn wait_for(mut signals: Signals) {
    for _ in signals.forever() {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            for pid in brokers(std::mem::take) {
                let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
                // One that is gone already need not be told.
                let _ = pid.map(|pid| kill_process(pid, Signal::TERM));
            }
            std::process::exit(1);
        }
    }
}
