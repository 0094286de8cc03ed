//! Who may connect: the bounds on connections, in all and an address, over all cores.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};

/// `max.connections` and `max.connections.per.ip`, shared by all cores.
#[derive(Debug)]
pub struct Admission {
    most: AtomicUsize,
    most_per_ip: AtomicUsize,
    present: Mutex<Present>,
}

#[derive(Debug)]
struct Present {
    by_ip: HashMap<IpAddr, usize>,
    by_core: Vec<usize>,
}

/// A connection's place among those admitted; left on drop.
#[derive(Debug)]
pub struct Admitted {
    admission: Arc<Admission>,
    ip: IpAddr,
    core: usize,
}

impl Admission {
    /// Bounds for a broker of `cores` cores.
    pub fn new(cores: usize, most: usize, most_per_ip: usize) -> Arc<Admission> {
        Arc::new(Admission {
            most: AtomicUsize::new(most),
            most_per_ip: AtomicUsize::new(most_per_ip),
            present: Mutex::new(Present {
                by_ip: HashMap::new(),
                by_core: vec![0; cores],
            }),
        })
    }

    /// Other bounds from now on. Whoever is here already stays.
    pub fn set_bounds(&self, most: usize, most_per_ip: usize) {
        self.most.store(most, Relaxed);
        self.most_per_ip.store(most_per_ip, Relaxed);
    }

    /// Admits a connection that `here` has accepted and names the core that should serve it: this one, or the least
    /// loaded where that has fewer and the connection does not have to stay. `None` when a bound is reached.
    pub fn admit(
        self: &Arc<Self>,
        ip: IpAddr,
        here: usize,
        stays: bool,
    ) -> Option<(Admitted, usize)> {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        let total: usize = present.by_core.iter().sum();
        let of_ip = present.by_ip.get(&ip).copied().unwrap_or(0);
        if total >= self.most.load(Relaxed) || of_ip >= self.most_per_ip.load(Relaxed) {
            return None;
        }
        let loads = &mut present.by_core;
        let least = (0..loads.len())
            .min_by_key(|&core| loads[core])
            .unwrap_or(here);
        let core = if !stays && loads[here] > loads[least] {
            least
        } else {
            here
        };
        loads[core] += 1;
        *present.by_ip.entry(ip).or_insert(0) += 1;
        let admitted = Admitted {
            admission: Arc::clone(self),
            ip,
            core,
        };
        Some((admitted, core))
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut present = self
            .admission
            .present
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        present.by_core[self.core] -= 1;
        if let Some(count) = present.by_ip.get_mut(&self.ip) {
            *count -= 1;
            if *count == 0 {
                present.by_ip.remove(&self.ip);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IP: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn connections_spread_evenly_although_one_core_accepts_them_all() {
        let admission = Admission::new(2, 100, 100);
        let held: Vec<_> = (0..10)
            .map(|_| admission.admit(IP, 0, false).unwrap())
            .collect();
        let on_second = held.iter().filter(|(_, core)| *core == 1).count();
        assert_eq!(on_second, 5);
    }

    #[test]
    fn who_has_chosen_a_core_stays_there_and_the_others_make_room() {
        let admission = Admission::new(2, 100, 100);
        let held: Vec<_> = (0..4)
            .map(|_| admission.admit(IP, 0, true).unwrap())
            .collect();
        assert!(held.iter().all(|(_, core)| *core == 0));
        assert_eq!(admission.admit(IP, 0, false).unwrap().1, 1);
    }

    #[test]
    fn a_connection_beyond_a_bound_is_not_admitted_until_another_leaves() {
        let admission = Admission::new(1, 10, 2);
        let first = admission.admit(IP, 0, false);
        let second = admission.admit(IP, 0, false);
        assert!(first.is_some() && second.is_some() && admission.admit(IP, 0, false).is_none());
        drop(first);
        assert!(admission.admit(IP, 0, false).is_some());
    }

    #[test]
    fn bounds_change_for_those_who_come_and_not_for_those_who_are_here() {
        let admission = Admission::new(1, 10, 10);
        let held: Vec<_> = (0..5)
            .map(|_| admission.admit(IP, 0, false).unwrap())
            .collect();
        admission.set_bounds(10, 5);
        assert!(admission.admit(IP, 0, false).is_none());
        admission.set_bounds(6, 10);
        let sixth = admission.admit(IP, 0, false);
        assert!(sixth.is_some() && admission.admit(IP, 0, false).is_none());
        assert_eq!(held.len(), 5);
    }
}
