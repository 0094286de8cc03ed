//! What a host gives to a broker, as plain data: everything the rules look at.
//!
//! Read once, from files of `/proc`, `/sys` and `/etc` below any root, so that rules are functions of this and can be tried on
//! hosts that nobody has. What cannot be read is `None`; the rules say so.

mod cpus;
mod mounts;
mod network;
mod process;
mod tree;

#[cfg(test)]
pub use cpus::IdleState;
pub use cpus::{Cpu, Cpus};
pub use mounts::{Mount, mount_of, mounts_in};
#[cfg(test)]
pub use network::Interrupt;
pub use network::{Interface, Network};
pub use process::{Limit, Process, Whose};
pub use tree::{Tree, as_cpu_list};

use crate::io::ring_check::{RingError, ring_is_usable};

/// A host, as far as it can be seen.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// `6.1.0-18-amd64`
    pub release: Option<String>,
    /// The process whose limits count.
    pub process: Process,
    /// `kernel.io_uring_disabled`: 0 everyone, 1 a group, 2 nobody; kernels before 6.6 have no such switch.
    pub io_uring_disabled: Option<u8>,
    /// `kernel.io_uring_group`
    pub io_uring_group: Option<i64>,
    /// Whether this process was given a ring; not asked of another host or process.
    pub ring: Option<Ring>,
    /// The group that the broker runs as, by its number, where there is one called `vltava`.
    pub group: Option<i64>,
    /// `fs.nr_open`: the most that any process may have open.
    pub open_files_max: Option<u64>,
    /// Memory of the machine, in bytes.
    pub memory: Option<u64>,
    /// From when on the kernel writes dirty pages out.
    pub dirty: DirtyLimits,
    /// Transparent huge pages: `always`, `madvise` or `never`.
    pub huge_pages: Option<String>,
    /// CPUs, their frequency and sleep.
    pub cpus: Cpus,
    /// Interfaces, their queues and interrupts.
    pub network: Network,
    /// Everything mounted, in the order of the kernel.
    pub mounts: Vec<Mount>,
    /// Whether systemd runs here.
    pub has_systemd: bool,
    /// Whether this is the inside of a container.
    pub is_container: bool,
}

/// Whether io_uring works, found out by trying.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ring {
    /// It does.
    Works,
    /// The kernel knows no such call.
    Absent,
    /// A sysctl, a security module or a seccomp filter says no.
    Forbidden,
}

/// Of the two the one that is not 0 counts; the ratio is percent of the memory that can be had.
#[derive(Clone, Copy, Default, Debug)]
pub struct DirtyLimits {
    /// `vm.dirty_background_bytes`
    pub background_bytes: Option<u64>,
    /// `vm.dirty_background_ratio`
    pub background_ratio: Option<u64>,
}

impl Host {
    /// Reads the host whose files are in `tree`; limits are those of the process `pid`, of the one broker that runs, or our own.
    pub fn read(tree: &Tree, pid: Option<u32>) -> Host {
        let process = Process::read(tree, pid);
        let vm = |name: &str| tree.number(&format!("/proc/sys/vm/{name}"));
        Host {
            release: tree.text("/proc/sys/kernel/osrelease"),
            io_uring_disabled: tree.number("/proc/sys/kernel/io_uring_disabled"),
            io_uring_group: tree.number("/proc/sys/kernel/io_uring_group"),
            ring: (tree.is_here() && process.whose == Whose::Own)
                .then(try_ring)
                .flatten(),
            group: tree
                .text("/etc/group")
                .and_then(|text| group_number(&text, "vltava")),
            open_files_max: tree.number("/proc/sys/fs/nr_open"),
            memory: tree
                .text("/proc/meminfo")
                .and_then(|text| total_memory(&text)),
            dirty: DirtyLimits {
                background_bytes: vm("dirty_background_bytes"),
                background_ratio: vm("dirty_background_ratio"),
            },
            huge_pages: tree.chosen("/sys/kernel/mm/transparent_hugepage/enabled"),
            cpus: Cpus::read(tree),
            network: Network::read(tree),
            mounts: mounts_in(&tree.text("/proc/self/mountinfo").unwrap_or_default()),
            has_systemd: tree.has("/run/systemd/system"),
            is_container: [
                "/.dockerenv",
                "/run/.containerenv",
                "/run/systemd/container",
            ]
            .iter()
            .any(|mark| tree.has(mark)),
            process,
        }
    }

    /// The kernel's version as two numbers.
    pub fn kernel(&self) -> Option<(u32, u32)> {
        let mut parts = self.release.as_ref()?.split(['.', '-']);
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    }
}

fn try_ring() -> Option<Ring> {
    match ring_is_usable(0) {
        Ok(()) => Some(Ring::Works),
        Err(RingError::Absent) => Some(Ring::Absent),
        Err(RingError::Forbidden) => Some(Ring::Forbidden),
        Err(RingError::LockedMemory { .. } | RingError::Other(_)) => None,
    }
}

/// The number of a group in `/etc/group`: `name:password:number:members`.
fn group_number(text: &str, name: &str) -> Option<i64> {
    let mut lines = text.lines().map(|line| line.split(':'));
    let mut fields =
        lines.find_map(|mut fields| (fields.next() == Some(name)).then_some(fields))?;
    fields.nth(1)?.parse().ok()
}

/// `MemTotal:` of `/proc/meminfo`, in bytes.
fn total_memory(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib.saturating_mul(1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_host_can_be_read_without_privileges() {
        let host = Host::read(
            &Tree::at(std::path::Path::new("/")),
            Some(std::process::id()),
        );
        assert!(host.kernel().is_some());
        assert!(host.memory.is_some_and(|bytes| bytes > 1 << 20));
        assert!(!host.process.cpus.is_empty());
        assert!(host.process.open_files.is_some());
        assert!(
            host.mounts
                .iter()
                .any(|mount| mount.point.as_os_str() == "/")
        );
    }

    #[test]
    fn a_host_of_which_nothing_can_be_read_is_all_unseen() {
        let nothing = tempfile::tempdir().unwrap();
        let host = Host::read(&Tree::at(nothing.path()), None);
        assert!(host.kernel().is_none() && host.memory.is_none() && host.ring.is_none());
        assert!(host.process.cpus.is_empty() && host.network.interfaces.is_empty());
    }

    #[test]
    fn a_groups_number_is_the_third_field_of_its_line() {
        let text = "root:x:0:\nvltavas:x:5:\nvltava:x:995:anna\n";
        assert_eq!(group_number(text, "vltava"), Some(995));
        assert_eq!(group_number(text, "nobody"), None);
    }
}
