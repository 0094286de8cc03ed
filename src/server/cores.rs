//! Which CPUs the broker runs on.
//!
//! By default as many cores as the process may really use: the smaller of its affinity mask and its cgroup's CPU quota
//! (a container with `cpu.max` of two CPUs on a machine of 64 gets two threads, not 64 that are throttled).

use crate::config::CoreChoice;
use crate::io::cpu_quota::cpu_quota;
use core_affinity::CoreId;
use std::fs;
use thiserror::Error;

/// Why the cores cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum CoresError {
    /// A CPU outside the affinity mask.
    #[error(
        "CPU {cpu} is not among those this process may use ({allowed:?}): change --cores, or the affinity (taskset, cpuset)"
    )]
    NotAllowed {
        /// The CPU asked for.
        cpu: usize,
        /// Those in the affinity mask.
        allowed: Vec<usize>,
    },
    /// More cores than there are.
    #[error("--cores {asked} is more than the {allowed} CPUs this process may use")]
    TooMany {
        /// The number asked for.
        asked: usize,
        /// CPUs in the affinity mask.
        allowed: usize,
    },
}

/// The CPUs to pin executors to, one each.
///
/// # Errors
/// See [`CoresError`].
pub fn choose(choice: Option<&CoreChoice>) -> Result<Vec<usize>, CoresError> {
    let allowed: Vec<usize> = core_affinity::get_core_ids()
        .unwrap_or_else(|| vec![CoreId { id: 0 }])
        .into_iter()
        .map(|core| core.id)
        .collect();
    choose_among(choice, allowed, cgroup_cpus())
}

fn choose_among(
    choice: Option<&CoreChoice>,
    mut allowed: Vec<usize>,
    quota: Option<usize>,
) -> Result<Vec<usize>, CoresError> {
    match choice {
        None => allowed.truncate(quota.unwrap_or(usize::MAX).max(1)),
        Some(CoreChoice::Count(asked)) if *asked > allowed.len() => {
            return Err(CoresError::TooMany {
                asked: *asked,
                allowed: allowed.len(),
            });
        }
        Some(CoreChoice::Count(asked)) => allowed.truncate(*asked),
        Some(CoreChoice::List(cpus)) => {
            if let Some(&cpu) = cpus.iter().find(|cpu| !allowed.contains(cpu)) {
                return Err(CoresError::NotAllowed { cpu, allowed });
            }
            return Ok(cpus.clone());
        }
    }
    Ok(allowed)
}

/// What this process' cgroup grants.
fn cgroup_cpus() -> Option<usize> {
    let read = |path: &str| fs::read_to_string(path).ok();
    cpu_quota(&read("/proc/self/cgroup")?, read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quota_of_the_cgroup_bounds_the_default_but_not_an_explicit_choice() {
        assert_eq!(
            choose_among(None, vec![0, 1, 2, 3], Some(2)),
            Ok(vec![0, 1])
        );
        let three = CoreChoice::Count(3);
        assert_eq!(
            choose_among(Some(&three), vec![0, 1, 2, 3], Some(2)),
            Ok(vec![0, 1, 2])
        );
    }

    #[test]
    fn a_cpu_outside_the_affinity_is_refused_by_name() {
        let choice = CoreChoice::List(vec![1, 9]);
        assert_eq!(
            choose_among(Some(&choice), vec![0, 1], None),
            Err(CoresError::NotAllowed {
                cpu: 9,
                allowed: vec![0, 1]
            })
        );
    }
}
