//! What the kernel says of this process and its threads, from `/proc` (proc(5)). What cannot be read counts as 0.

use crate::metrics::CpuTimes;
use std::fs;
use std::path::{Path, PathBuf};

/// Clock ticks a second in `/proc`: USER_HZ, 100 on every Linux in use.
const TICKS_PER_SECOND: u64 = 100;
const MS_PER_TICK: u64 = 1000 / TICKS_PER_SECOND;

/// The whole process.
#[derive(Clone, Copy, Default, Debug)]
pub struct Process {
    /// CPU time of all threads.
    pub cpu_ms: u64,
    /// Memory in use.
    pub resident_bytes: u64,
    /// Address space.
    pub virtual_bytes: u64,
    /// Open descriptors.
    pub open_fds: u64,
    /// How many there may be.
    pub max_fds: u64,
    /// When it started, in seconds since 1970.
    pub start_seconds: f64,
    /// Threads.
    pub threads: u64,
}

/// This process now.
pub fn process() -> Process {
    let status = read("/proc/self/status");
    let stat = read("/proc/self/stat");
    let fields = after_name(&stat);
    let (user, system) = ticks(&fields);
    let boot = read("/proc/stat");
    let boot = boot.lines().find_map(|line| line.strip_prefix("btime "));
    let boot: f64 = boot.and_then(|text| text.parse().ok()).unwrap_or(0.0);
    let started = fields.get(19).and_then(|text| text.parse::<u64>().ok());
    Process {
        cpu_ms: (user + system) * MS_PER_TICK,
        resident_bytes: field(&status, "VmRSS:") * 1024,
        virtual_bytes: field(&status, "VmSize:") * 1024,
        open_fds: fs::read_dir("/proc/self/fd").map_or(0, |fds| fds.count() as u64),
        max_fds: max_fds(&read("/proc/self/limits")),
        start_seconds: boot + started.unwrap_or(0) as f64 / TICKS_PER_SECOND as f64,
        threads: field(&status, "Threads:"),
    }
}

/// The thread of the core on this CPU, found by the name that `server` gives it, behind which the runtime puts a number. Its
/// helpers for what may block have the same name and came later.
pub fn core_times(cpu: usize) -> CpuTimes {
    let name = format!("vltava-{cpu}-");
    let Ok(threads) = fs::read_dir("/proc/self/task") else {
        return CpuTimes::default();
    };
    let is_it =
        |dir: &Path| fs::read_to_string(dir.join("comm")).is_ok_and(|comm| comm.starts_with(&name));
    let number = |dir: &PathBuf| dir.file_name()?.to_str()?.parse::<u32>().ok();
    let found = threads
        .flatten()
        .map(|thread| thread.path())
        .filter(|dir| is_it(dir));
    let first = found.min_by_key(number);
    first.map_or_else(CpuTimes::default, |dir| times_of(&dir))
}

fn times_of(thread: &Path) -> CpuTimes {
    let stat = fs::read_to_string(thread.join("stat")).unwrap_or_default();
    let status = fs::read_to_string(thread.join("status")).unwrap_or_default();
    let (user, system) = ticks(&after_name(&stat));
    CpuTimes {
        user_ms: user * MS_PER_TICK,
        system_ms: system * MS_PER_TICK,
        parks: field(&status, "voluntary_ctxt_switches:"),
        preemptions: field(&status, "nonvoluntary_ctxt_switches:"),
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The fields of `stat` from the third on: the second is a name in brackets, in which anything may stand.
fn after_name(stat: &str) -> Vec<&str> {
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    rest.split_whitespace().collect()
}

/// `utime` and `stime`.
fn ticks(fields: &[&str]) -> (u64, u64) {
    let number = |place: usize| fields.get(place).and_then(|text| text.parse().ok());
    (number(11).unwrap_or(0), number(12).unwrap_or(0))
}

fn field(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn max_fds(limits: &str) -> u64 {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next());
    soft.and_then(|text| text.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory_and_descriptors_and_has_started_in_the_past() {
        let process = process();
        assert!(process.resident_bytes > 1 << 20 && process.virtual_bytes > process.resident_bytes);
        assert!((3..=process.max_fds).contains(&process.open_fds));
        assert!(process.start_seconds > 1.6e9);
        assert!(process.threads >= 1);
    }

    #[test]
    fn a_thread_is_found_by_its_name_and_a_missing_one_counts_as_nothing() {
        let waiting = std::thread::Builder::new().name("vltava-7777-1".to_owned());
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let thread = waiting
            .spawn(move || stopped.recv().is_ok())
            .expect("a thread");
        let times = std::iter::repeat_with(|| {
            std::thread::sleep(std::time::Duration::from_millis(5));
            core_times(7777)
        })
        .take(1000)
        .find(|times| times.parks > 0);
        assert!(times.is_some(), "a thread that waits has gone to sleep");
        drop(stop);
        thread.join().expect("it ends");
        assert_eq!(core_times(7778), CpuTimes::default());
    }

    #[test]
    fn a_name_with_brackets_and_spaces_moves_no_field() {
        let stat = "12 (a) b) S 1 2 3 4 5 6 7 8 9 10 700 80 0 0";
        assert_eq!(ticks(&after_name(stat)), (700, 80));
    }
}
