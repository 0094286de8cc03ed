//! Limits of the process: locked memory and open files.

use super::super::finding::{Advice, Finding, Remedy, Setting, Verdict};
use super::super::host::{Host, Limit};
use super::super::plan::Plan;
use crate::limits::LOCKED_MEMORY_PER_CORE_KIB;

/// Locked memory that the drop-in gives at least: 128 cores.
const LOCKED_MEMORY_GIVEN: u64 = 64 << 20;

/// Whether the rings of all cores fit RLIMIT_MEMLOCK.
pub fn locked_memory(host: &Host, plan: &Plan) -> Finding {
    const TOPIC: &str = "locked memory";
    let needed = (plan.cpus.len().max(1) * LOCKED_MEMORY_PER_CORE_KIB) as u64 * 1024;
    let limit = match host.process.locked_memory {
        _ if host.process.may_lock_all => {
            return Finding::fine(TOPIC, "no limit (CAP_IPC_LOCK)");
        }
        None => return Finding::unseen(TOPIC, "the limits of the process cannot be read"),
        Some(Limit::Unlimited) => return Finding::fine(TOPIC, "no limit"),
        Some(Limit::UpTo(limit)) => limit,
    };
    let is = format!("{} KiB, {} needed", limit / 1024, needed / 1024);
    if limit >= needed {
        return Finding::fine(TOPIC, is);
    }
    let given = LOCKED_MEMORY_GIVEN.max(needed.next_power_of_two());
    let advice = Advice {
        should: format!("{} MiB", given >> 20),
        why: "each core registers buffers with its rings, which count against the limit of the user; the broker asks for 512 KiB a core",
        buys: "the broker starts",
        source: "man getrlimit, RLIMIT_MEMLOCK; tuning/README.md",
        remedy: of_process(
            host,
            "LimitMEMLOCK",
            format!("{}M", given >> 20),
            &format!("memlock={given}"),
        ),
    };
    Finding::advise(TOPIC, Verdict::Must, is, advice)
}

/// Open files below this are for trying things out.
const OPEN_FILES_WANTED: u64 = 65_536;
/// 10 000 partitions being read everywhere, and 100 000 connections.
const OPEN_FILES_GIVEN: u64 = 200_000;

/// Whether there are descriptors for segments and connections.
pub fn open_files(host: &Host) -> Finding {
    const TOPIC: &str = "open files";
    let limit = match host.process.open_files {
        None => return Finding::unseen(TOPIC, "the limits of the process cannot be read"),
        Some(Limit::Unlimited) => return Finding::fine(TOPIC, "no limit"),
        Some(limit @ Limit::UpTo(most)) if limit.allows(OPEN_FILES_WANTED) => {
            return Finding::fine(TOPIC, most.to_string());
        }
        Some(Limit::UpTo(most)) => most,
    };
    let given = OPEN_FILES_GIVEN.min(host.open_files_max.unwrap_or(u64::MAX));
    let advice = Advice {
        should: given.to_string(),
        why: "a descriptor a connection, one a partition that is written, and more while old segments are read",
        buys: "clients are not left waiting for a connection, and segments can be rolled, when many come; nothing before",
        source: "man getrlimit, RLIMIT_NOFILE; tuning/README.md",
        remedy: of_process(
            host,
            "LimitNOFILE",
            given.to_string(),
            &format!("nofile={given}"),
        ),
    };
    Finding::advise(TOPIC, Verdict::Change, limit.to_string(), advice)
}

/// A limit of the service; where systemd does not start it, an option of whatever does.
fn of_process(host: &Host, key: &str, value: String, ulimit: &str) -> Remedy {
    if host.has_systemd {
        return Remedy::DropIn(vec![Setting::of_service(key, value)]);
    }
    Remedy::ByHand {
        set: vec![format!(
            "docker run --ulimit {ulimit} ...; for a login: /etc/security/limits.d; for a service: {key}={value} in its unit"
        )],
        undo: vec!["drop the option".to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::host::Process;
    use super::super::testing::{advice, plan_on, settings};
    use super::*;

    fn host(open_files: u64, locked_memory: u64) -> Host {
        Host {
            process: Process {
                open_files: Some(Limit::UpTo(open_files)),
                locked_memory: Some(Limit::UpTo(locked_memory)),
                ..Process::default()
            },
            has_systemd: true,
            ..Host::default()
        }
    }

    #[test]
    fn locked_memory_must_do_for_all_cores() {
        let host = host(1024, 8 << 20);
        let on = |cores: usize| locked_memory(&host, &plan_on(&(0..cores).collect::<Vec<_>>()));
        assert_eq!(on(16).verdict, Verdict::Fine);
        assert_eq!(on(17).verdict, Verdict::Must);
        assert_eq!(settings(&on(17)), ["LimitMEMLOCK=64M"]);
        assert_eq!(settings(&on(200)), ["LimitMEMLOCK=128M"]);
    }

    #[test]
    fn a_process_that_may_lock_everything_needs_no_limit() {
        let mut host = host(1024, 0);
        host.process.may_lock_all = true;
        assert_eq!(locked_memory(&host, &plan_on(&[0])).verdict, Verdict::Fine);
    }

    #[test]
    fn few_open_files_are_raised_but_not_above_what_the_kernel_allows() {
        assert_eq!(open_files(&host(65_536, 0)).verdict, Verdict::Fine);
        let mut few = host(1024, 0);
        assert_eq!(open_files(&few).verdict, Verdict::Change);
        assert_eq!(settings(&open_files(&few)), ["LimitNOFILE=200000"]);
        few.open_files_max = Some(100_000);
        assert_eq!(settings(&open_files(&few)), ["LimitNOFILE=100000"]);
    }

    #[test]
    fn without_systemd_limits_are_an_option_of_whatever_starts_the_broker() {
        let mut host = host(1024, 0);
        host.has_systemd = false;
        let finding = open_files(&host);
        assert!(
            matches!(&advice(&finding).remedy, Remedy::ByHand { set, .. } if set[0].contains("--ulimit nofile=200000"))
        );
    }

    #[test]
    fn limits_that_cannot_be_read_are_said() {
        let host = Host::default();
        assert_eq!(open_files(&host).verdict, Verdict::Unseen);
        assert_eq!(
            locked_memory(&host, &plan_on(&[0])).verdict,
            Verdict::Unseen
        );
    }
}
