//! What the machine can do at all, without a broker: each file one kind of work.

pub mod files;
pub mod memory;
pub mod sockets;
pub mod wake_up;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::result::Figure;
use crate::run::{BenchError, pin_thread};

/// Where and how long to measure.
pub struct Bench {
    /// For files.
    pub dir: PathBuf,
    /// Two CPUs, or one twice where there is no other.
    pub cpus: [usize; 2],
    /// Each measure takes this long.
    pub length: Duration,
}

impl Bench {
    /// With CPUs of the caller's choice, or the first that there are.
    ///
    /// # Errors
    /// When there is no such directory.
    pub fn new(dir: &Path, pin: &[usize], length: Duration) -> Result<Bench, BenchError> {
        let usable = core_affinity::get_core_ids().unwrap_or_default();
        let usable: Vec<usize> = usable.into_iter().map(|core| core.id).collect();
        let chosen = if pin.is_empty() { &usable[..] } else { pin };
        let first = chosen.first().copied().unwrap_or(0);
        if !dir.is_dir() {
            return Err(BenchError::File {
                path: dir.to_owned(),
                source: std::io::ErrorKind::NotADirectory.into(),
            });
        }
        Ok(Bench {
            dir: dir.to_owned(),
            cpus: [first, chosen.get(1).copied().unwrap_or(first)],
            length,
        })
    }

    /// Runs `work` on the first CPU in a thread of its own.
    ///
    /// # Errors
    /// Those of `work`; when the CPU cannot be used.
    pub fn on_first_cpu<T: Send>(
        &self,
        work: impl FnOnce() -> Result<T, BenchError> + Send,
    ) -> Result<T, BenchError> {
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                pin_thread(&self.cpus, 0)?;
                work()
            });
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

/// CPU time of the calling thread.
pub fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

/// How much was done, and what it took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Amount {
    /// Bytes that were moved.
    pub bytes: u64,
    /// How long it took.
    pub seconds: f64,
    /// CPU time of the thread that did it.
    pub cpu_s: f64,
}

impl Amount {
    /// As figures: GB/s and CPU s/GB.
    pub fn figures(self, name: &str) -> Vec<Figure> {
        let gigabytes = self.bytes as f64 / 1e9;
        vec![
            Figure::gain(name, gigabytes / self.seconds.max(1e-9), "GB/s"),
            Figure::cost(
                format!("{name}, CPU"),
                self.cpu_s / gigabytes.max(1e-12),
                "s/GB",
            ),
        ]
    }
}

/// Repeats `work`, which says how many bytes it moved, for so long.
///
/// # Errors
/// Those of `work`.
pub fn repeat(
    length: Duration,
    mut work: impl FnMut() -> Result<u64, BenchError>,
) -> Result<Amount, BenchError> {
    let (began, cpu_before) = (Instant::now(), thread_cpu());
    let mut bytes = 0;
    loop {
        bytes += work()?;
        let elapsed = began.elapsed();
        if elapsed >= length {
            return Ok(Amount {
                bytes,
                seconds: elapsed.as_secs_f64(),
                cpu_s: (thread_cpu() - cpu_before).as_secs_f64(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_done_once_at_least_and_counted() {
        let amount = repeat(Duration::ZERO, || Ok(7)).unwrap();
        assert_eq!(amount.bytes, 7);
        let failed = repeat(Duration::ZERO, || Err(BenchError::Other("no".into())));
        assert!(failed.is_err());
    }

    #[test]
    fn amounts_are_told_as_speed_and_as_cost() {
        let amount = Amount {
            bytes: 4_000_000_000,
            seconds: 2.0,
            cpu_s: 1.0,
        };
        let values: Vec<f64> = amount.figures("send").iter().map(|f| f.value).collect();
        assert_eq!(values, [2.0, 0.25]);
    }

    #[test]
    fn one_cpu_stands_for_two_where_there_is_no_other() {
        let bench = Bench::new(Path::new("."), &[3], Duration::ZERO).unwrap();
        assert_eq!(bench.cpus, [3, 3]);
        assert!(Bench::new(Path::new("Cargo.toml"), &[], Duration::ZERO).is_err());
    }
}
