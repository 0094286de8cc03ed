//! What a process costs: CPU time, memory and context switches from `/proc` (proc_pid_stat(5), proc_pid_status(5)).
//!
//! Threads of io_uring (`iou-wrk`, `iou-sqp`) belong to their process and are counted. Work that the kernel does in
//! threads of its own is not: writing back dirty pages (`kworker/u*:flush`), and network receive in softirqs of a CPU
//! that runs something else.

use std::fs;
use std::io;

use serde::{Deserialize, Serialize};

use crate::run::BenchError;

/// `/proc` counts CPU time in this many ticks a second (USER_HZ, 100 on every architecture we run on).
const TICKS_PER_S: f64 = 100.0;

/// CPU time and context switches so far, and memory now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Seconds in user mode.
    pub user_s: f64,
    /// Seconds in the kernel.
    pub system_s: f64,
    /// Resident memory.
    pub rss_bytes: u64,
    /// The most resident memory it ever had.
    pub peak_rss_bytes: u64,
    /// Threads.
    pub threads: u64,
    /// How often a thread of it went to sleep. Threads that are gone are not counted.
    pub voluntary_switches: u64,
    /// How often a thread of it had to let another run.
    pub involuntary_switches: u64,
}

impl Usage {
    /// Of a process now.
    ///
    /// # Errors
    /// When there is no such process, or it may not be looked at.
    pub fn of(pid: u32) -> Result<Usage, BenchError> {
        Usage::read(pid).map_err(|source| BenchError::File {
            path: format!("/proc/{pid}").into(),
            source,
        })
    }

    fn read(pid: u32) -> io::Result<Usage> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let (user_ticks, system_ticks) = cpu_ticks(&stat)
            .ok_or_else(|| io::Error::other(format!("/proc/{pid}/stat is not as expected")))?;
        let (voluntary_switches, involuntary_switches) = switches(pid)?;
        Ok(Usage {
            user_s: user_ticks as f64 / TICKS_PER_S,
            system_s: system_ticks as f64 / TICKS_PER_S,
            rss_bytes: number_after(&status, "VmRSS:").unwrap_or(0) * 1024,
            peak_rss_bytes: number_after(&status, "VmHWM:").unwrap_or(0) * 1024,
            threads: number_after(&status, "Threads:").unwrap_or(0),
            voluntary_switches,
            involuntary_switches,
        })
    }

    /// CPU time and switches between `before` and this, with the memory of this.
    pub fn since(&self, before: &Usage) -> Usage {
        let (voluntary, involuntary) = (before.voluntary_switches, before.involuntary_switches);
        Usage {
            user_s: self.user_s - before.user_s,
            system_s: self.system_s - before.system_s,
            voluntary_switches: self.voluntary_switches.saturating_sub(voluntary),
            involuntary_switches: self.involuntary_switches.saturating_sub(involuntary),
            ..*self
        }
    }

    /// User and kernel together.
    pub fn cpu_s(&self) -> f64 {
        self.user_s + self.system_s
    }

    /// Both kinds.
    pub fn switches(&self) -> u64 {
        self.voluntary_switches + self.involuntary_switches
    }
}

/// utime and stime, fields 14 and 15. The second field is the name in parentheses, which may hold anything.
fn cpu_ticks(stat: &str) -> Option<(u64, u64)> {
    let after_name = &stat[stat.rfind(')')? + 1..];
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// Voluntary and other context switches of all threads: the process's own `status` has those of its first thread.
fn switches(pid: u32) -> io::Result<(u64, u64)> {
    let mut sums = (0, 0);
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may end while we look.
        let Ok(status) = fs::read_to_string(thread?.path().join("status")) else {
            continue;
        };
        sums.0 += number_after(&status, "voluntary_ctxt_switches:").unwrap_or(0);
        sums.1 += number_after(&status, "nonvoluntary_ctxt_switches:").unwrap_or(0);
    }
    Ok(sums)
}

/// The number in the first line that starts with `name`.
pub fn number_after(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_does_not_shift_the_fields() {
        let stat = "42 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 1234 567 0 0 20 0";
        assert_eq!(cpu_ticks(stat), Some((1234, 567)));
        assert_eq!(cpu_ticks("42 (a) S 1"), None);
    }

    #[test]
    fn our_own_usage_grows() {
        let before = Usage::of(std::process::id()).unwrap();
        assert!(before.rss_bytes > 0 && before.peak_rss_bytes >= before.rss_bytes);
        assert!(before.threads > 0);
        let spin = std::time::Instant::now();
        while spin.elapsed().as_millis() < 50 {
            std::hint::spin_loop();
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
        let grown = Usage::of(std::process::id()).unwrap().since(&before);
        assert!(grown.cpu_s() > 0.0 && grown.switches() > 0, "{grown:?}");
    }
}
