//! What a process costs: CPU time and memory from `/proc` (proc_pid_stat(5), proc_pid_status(5)).
//!
//! Threads of io_uring (`iou-wrk`, `iou-sqp`) belong to their process and are counted. Work that the kernel does in
//! threads of its own is not: writing back dirty pages (`kworker/u*:flush`), and network receive in softirqs of a CPU
//! that runs something else.

use std::fs;
use std::io;

use serde::Serialize;

/// `/proc` counts CPU time in this many ticks a second (USER_HZ, 100 on every architecture we run on).
const TICKS_PER_S: f64 = 100.0;

/// CPU time so far, and memory now.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Usage {
    /// Seconds in user mode.
    pub user_s: f64,
    /// Seconds in the kernel.
    pub system_s: f64,
    /// Resident memory.
    pub rss_bytes: u64,
    /// The most resident memory it ever had.
    pub peak_rss_bytes: u64,
}

impl Usage {
    /// Of a process now.
    ///
    /// # Errors
    /// When there is no such process, or it may not be looked at.
    pub fn of(pid: u32) -> io::Result<Usage> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let (user_ticks, system_ticks) = cpu_ticks(&stat)
            .ok_or_else(|| io::Error::other(format!("/proc/{pid}/stat is not as expected")))?;
        Ok(Usage {
            user_s: user_ticks as f64 / TICKS_PER_S,
            system_s: system_ticks as f64 / TICKS_PER_S,
            rss_bytes: kib_line(&status, "VmRSS:").unwrap_or(0) * 1024,
            peak_rss_bytes: kib_line(&status, "VmHWM:").unwrap_or(0) * 1024,
        })
    }

    /// The CPU time between `before` and this, with the memory of this.
    pub fn since(&self, before: &Usage) -> Usage {
        Usage {
            user_s: self.user_s - before.user_s,
            system_s: self.system_s - before.system_s,
            ..*self
        }
    }

    /// User and kernel together.
    pub fn cpu_s(&self) -> f64 {
        self.user_s + self.system_s
    }
}

/// utime and stime, fields 14 and 15. The second field is the name in parentheses, which may hold anything.
fn cpu_ticks(stat: &str) -> Option<(u64, u64)> {
    let after_name = &stat[stat.rfind(')')? + 1..];
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

fn kib_line(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
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
        let spin = std::time::Instant::now();
        while spin.elapsed().as_millis() < 50 {
            std::hint::spin_loop();
        }
        assert!(
            Usage::of(std::process::id())
                .unwrap()
                .since(&before)
                .cpu_s()
                >= 0.02
        );
    }
}
