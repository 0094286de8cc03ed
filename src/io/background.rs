//! Threads for long work that must not be in anybody's way.

use std::io;
use std::thread;

/// How much less than a core's own a background thread's share is when both want the CPU (nice 15 is about a thirtieth).
const NICENESS: libc::c_int = 15;

/// Runs `work` on a thread of its own, on any CPU, with the lowest claim to one.
///
/// # Errors
/// The system gives no thread.
pub fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let thread = thread::Builder::new().name(name.to_owned());
    let spawned = thread.spawn(move || {
        leave_the_core();
        step_back();
        work();
    });
    spawned.map(drop)
}

/// A thread inherits the one CPU of the core that made it.
pub(super) fn leave_the_core() {
    report(
        set_cpus(0..libc::CPU_SETSIZE as usize),
        "it stays on one CPU",
    );
}

/// Keeps this thread to these CPUs; to none in particular if there are none.
pub(super) fn stay_on(cpus: &[usize]) {
    if !cpus.is_empty() {
        report(set_cpus(cpus.iter().copied()), "it stays where it was");
    }
}

fn set_cpus(cpus: impl Iterator<Item = usize>) -> libc::c_int {
    // SAFETY: an all-zero `cpu_set_t` is an empty set, and `CPU_SET` stays within it for numbers below CPU_SETSIZE.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        for cpu in cpus.filter(|&cpu| cpu < libc::CPU_SETSIZE as usize) {
            libc::CPU_SET(cpu, &mut set);
        }
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set)
    }
}

fn step_back() {
    // SAFETY: takes three numbers; 0 names the calling thread.
    let result = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICENESS) };
    report(result, "it keeps its priority");
}

fn report(result: libc::c_int, what: &str) {
    if result != 0 {
        let error = io::Error::last_os_error();
        log::debug!("a background thread: {error}: {what}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn work_in_the_background_has_a_name_and_a_low_priority() {
        let (sender, receiver) = channel();
        spawn("behind", move || {
            // SAFETY: takes two numbers; 0 names the calling thread.
            let nice = unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) };
            let name = thread::current().name().map(str::to_owned);
            sender.send((nice, name)).unwrap();
        })
        .unwrap();
        let (nice, name) = receiver.recv().unwrap();
        assert!(nice >= NICENESS);
        assert_eq!(name.as_deref(), Some("behind"));
    }
}
