//! The process whose limits count: the broker that runs, or this one.

use std::path::PathBuf;

use super::tree::{Tree, cpu_list};
use crate::io::cpu_quota::cpu_quota;

/// A process, and what it may use.
#[derive(Clone, Debug, Default)]
pub struct Process {
    /// Whose limits these are.
    pub whose: Whose,
    /// The command line of a broker that runs.
    pub command_line: Vec<String>,
    /// The folder that it started in, where relative names of its command line lead from.
    pub folder: Option<PathBuf>,
    /// RLIMIT_NOFILE
    pub open_files: Option<Limit>,
    /// RLIMIT_MEMLOCK, in bytes
    pub locked_memory: Option<Limit>,
    /// CAP_IPC_LOCK is effective: nothing counts against RLIMIT_MEMLOCK.
    pub may_lock_all: bool,
    /// A seccomp filter is in force.
    pub is_filtered: Option<bool>,
    /// CPUs it may run on.
    pub cpus: Vec<usize>,
    /// Whole CPUs that the cgroup's quota is worth.
    pub quota: Option<usize>,
}

/// Whose limits were read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Whose {
    /// Those of the command itself: no broker runs here, or several do.
    #[default]
    Own,
    /// Those of the process of this number.
    Of(u32),
}

/// The soft limit of a resource.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Limit {
    /// None.
    Unlimited,
    /// So much.
    UpTo(u64),
}

impl Limit {
    /// Whether `amount` is within it.
    pub fn allows(self, amount: u64) -> bool {
        match self {
            Limit::Unlimited => true,
            Limit::UpTo(most) => amount <= most,
        }
    }
}

impl Process {
    /// Whether it is a broker.
    pub fn is_broker(&self) -> bool {
        serves(&self.command_line)
    }

    /// Reads the process `pid`, or the one broker that runs, or our own.
    pub fn read(tree: &Tree, pid: Option<u32>) -> Process {
        let whose = match pid.or_else(|| only_broker(tree)) {
            Some(pid) => Whose::Of(pid),
            None => Whose::Own,
        };
        let folder = match whose {
            Whose::Of(pid) => format!("/proc/{pid}"),
            Whose::Own => "/proc/self".to_owned(),
        };
        let file = |name: &str| tree.text(&format!("{folder}/{name}")).unwrap_or_default();
        let (status, limits) = (file("status"), file("limits"));
        let capabilities =
            field(&status, "CapEff:").and_then(|hex| u64::from_str_radix(hex, 16).ok());
        Process {
            command_line: match whose {
                Whose::Of(_) => words(&file("cmdline")),
                Whose::Own => Vec::new(),
            },
            folder: tree.link(&format!("{folder}/cwd")),
            open_files: soft_limit(&limits, "Max open files"),
            locked_memory: soft_limit(&limits, "Max locked memory"),
            may_lock_all: capabilities.is_some_and(|bits| bits & CAP_IPC_LOCK != 0),
            is_filtered: field(&status, "Seccomp:").map(|mode| mode == SECCOMP_FILTER),
            cpus: field(&status, "Cpus_allowed_list:")
                .and_then(cpu_list)
                .unwrap_or_default(),
            quota: cpu_quota(&file("cgroup"), |path| tree.text(path)),
            whose,
        }
    }
}

/// Bit 14 of the capabilities.
const CAP_IPC_LOCK: u64 = 1 << 14;
/// `Seccomp:` of a process with a filter.
const SECCOMP_FILTER: &str = "2";

/// The broker that runs here, if there is exactly one that we can see.
fn only_broker(tree: &Tree) -> Option<u32> {
    let pids = tree.names("/proc").into_iter();
    let mut brokers = pids
        .filter_map(|name| name.parse().ok())
        .filter(|pid: &u32| {
            tree.text(&format!("/proc/{pid}/comm")).as_deref() == Some("vltava")
                && tree
                    .text(&format!("/proc/{pid}/cmdline"))
                    .is_some_and(|line| serves(&words(&line)))
        });
    let first = brokers.next()?;
    brokers.next().is_none().then_some(first)
}

/// Whether a command line is that of `vltava serve`.
fn serves(command_line: &[String]) -> bool {
    command_line.get(1).is_some_and(|word| word == "serve")
}

/// The words of `/proc/PID/cmdline`, each ended by a NUL.
fn words(cmdline: &str) -> Vec<String> {
    let ended = cmdline.strip_suffix('\0').unwrap_or(cmdline);
    ended.split('\0').map(str::to_owned).collect()
}

/// What stands behind a name in `/proc/PID/status`.
fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    let found = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(found.trim())
}

/// The first of the two limits in a line of `/proc/PID/limits`.
fn soft_limit(limits: &str, name: &str) -> Option<Limit> {
    match field(limits, name)?.split_whitespace().next()? {
        "unlimited" => Some(Limit::Unlimited),
        number => number.parse().ok().map(Limit::UpTo),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn process(root: &Path, pid: &str, comm: &str, cmdline: &str) {
        let folder = root.join("proc").join(pid);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("comm"), comm).unwrap();
        fs::write(folder.join("cmdline"), cmdline).unwrap();
        fs::write(
            folder.join("status"),
            "CapEff:\t0000000000004000\nCpus_allowed_list:\t2-3\nSeccomp:\t2\nSeccomp_filters:\t1\n",
        )
        .unwrap();
        fs::write(
            folder.join("limits"),
            "Limit  Soft Limit  Hard Limit  Units\n\
             Max open files            1024                 524288               files     \n\
             Max locked memory         unlimited            unlimited            bytes     \n",
        )
        .unwrap();
    }

    #[test]
    fn the_limits_are_those_of_the_only_broker_that_runs() {
        let root = tempfile::tempdir().unwrap();
        let tree = Tree::at(root.path());
        process(
            root.path(),
            "77",
            "vltava",
            "/usr/bin/vltava\0serve\0/etc/a b.properties\0",
        );
        process(root.path(), "78", "vltava", "vltava\0consume\0serve\0");
        let found = Process::read(&tree, None);
        assert_eq!(found.whose, Whose::Of(77));
        assert_eq!(
            found.command_line,
            ["/usr/bin/vltava", "serve", "/etc/a b.properties"]
        );
        assert_eq!(found.open_files, Some(Limit::UpTo(1024)));
        assert_eq!(found.locked_memory, Some(Limit::Unlimited));
        assert_eq!(found.is_filtered, Some(true));
        assert_eq!(found.cpus, [2, 3]);
        assert!(found.may_lock_all);

        process(root.path(), "99", "vltava", "vltava\0serve\0");
        assert_eq!(Process::read(&tree, None).whose, Whose::Own);
        assert_eq!(Process::read(&tree, Some(99)).whose, Whose::Of(99));
    }
}
