//! Which CPUs the broker gets and which the load, so that neither is measured waiting for the other.

use rustix::thread::{CpuSet, sched_setaffinity};

use crate::run::BenchError;

/// Both sides' CPUs; empty means anywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sides {
    /// The broker's.
    pub server: Vec<usize>,
    /// The load generator's.
    pub load: Vec<usize>,
}

/// What was asked for, or else one half of the CPUs each. A machine with one CPU has no sides.
pub fn sides(server: &[usize], load: &[usize], usable: &[usize]) -> Sides {
    let half = usable.len() / 2;
    let or_half = |asked: &[usize], half: &[usize]| match asked.is_empty() {
        true => half.to_vec(),
        false => asked.to_vec(),
    };
    match half {
        0 => Sides {
            server: server.to_vec(),
            load: load.to_vec(),
        },
        _ => Sides {
            server: or_half(server, &usable[..half]),
            load: or_half(load, &usable[half..]),
        },
    }
}

/// The CPUs this process may use.
pub fn usable() -> Vec<usize> {
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    cores.into_iter().map(|core| core.id).collect()
}

/// Runs `work` in a thread that may use these CPUs only: what it starts inherits them.
///
/// # Errors
/// When there is no such CPU, or it is not for this process.
pub fn within<T: Send>(cpus: &[usize], work: impl FnOnce() -> T + Send) -> Result<T, BenchError> {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            if !cpus.is_empty() {
                let mut set = CpuSet::new();
                cpus.iter()
                    .filter(|&&cpu| cpu < CpuSet::MAX_CPU)
                    .for_each(|&cpu| set.set(cpu));
                sched_setaffinity(None, &set).map_err(|error| {
                    BenchError::Other(format!("cannot run on the CPUs {cpus:?}: {error}"))
                })?;
            }
            Ok(work())
        });
        thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_has_half_of_the_cpus_unless_it_is_told() {
        let halves = sides(&[], &[], &[0, 1, 2]);
        assert_eq!((halves.server, halves.load), (vec![0], vec![1, 2]));
        let asked = sides(&[5], &[], &[0, 1]);
        assert_eq!((asked.server, asked.load), (vec![5], vec![1]));
        assert_eq!(sides(&[], &[], &[0]), Sides::default());
    }

    #[test]
    fn what_runs_within_cpus_sees_no_others() {
        let first = usable()[0];
        assert_eq!(within(&[first], usable).unwrap(), [first]);
        assert!(within(&[CpuSet::MAX_CPU + 1], || ()).is_err());
        assert_eq!(within(&[], usable).unwrap(), usable());
    }
}
