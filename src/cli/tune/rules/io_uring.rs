//! Whether io_uring is allowed: by the sysctl, and by a seccomp filter.

use super::super::finding::{Advice, Finding, Remedy, Setting, Verdict};
use super::super::host::{Host, Ring};

const TOPIC: &str = "io_uring";

/// Whether the broker will be given rings.
pub fn look(host: &Host) -> Finding {
    match (host.io_uring_disabled, host.ring) {
        _ if host.process.is_broker() => Finding::fine(TOPIC, "a broker runs with it"),
        (Some(1), _) if group_fits(host) => Finding::fine(
            TOPIC,
            "only for the group vltava (kernel.io_uring_disabled = 1)",
        ),
        (Some(switch @ 1..), _) => switched_off(host, switch),
        (_, Some(Ring::Works)) => Finding::fine(TOPIC, "allowed: a ring was set up"),
        // Some profiles answer as a kernel without it would.
        (_, Some(Ring::Absent)) if host.process.is_filtered == Some(true) => filtered(),
        (_, Some(Ring::Absent)) => absent(),
        (_, Some(Ring::Forbidden)) => filtered(),
        (Some(_), None) if host.process.is_filtered == Some(false) => {
            Finding::fine(TOPIC, "allowed to everyone")
        }
        _ => Finding::unseen(
            TOPIC,
            "whether a ring can be set up was not tried; a seccomp filter may forbid it",
        ),
    }
}

fn group_fits(host: &Host) -> bool {
    host.group.is_some() && host.group == host.io_uring_group
}

/// The narrowest that lets the broker in: a group of its own where there is one, everybody otherwise.
fn switched_off(host: &Host, switch: u8) -> Finding {
    let was = |key, value: i64| (key, value);
    let disabled = "kernel.io_uring_disabled";
    let group = "kernel.io_uring_group";
    let settings = match host.group {
        Some(number) => vec![
            Setting::sysctl(group, number, was(group, host.io_uring_group.unwrap_or(-1))),
            Setting::sysctl(disabled, 1, was(disabled, switch.into())),
        ],
        None => vec![Setting::sysctl(disabled, 0, was(disabled, switch.into()))],
    };
    let (should, is) = (
        match host.group {
            Some(number) => format!("1, and kernel.io_uring_group = {number} (vltava)"),
            None => "0 (or 1 and a group vltava, which is not there)".to_owned(),
        },
        match switch {
            1 => "only for kernel.io_uring_group, which is not the broker's".to_owned(),
            _ => format!("switched off (kernel.io_uring_disabled = {switch})"),
        },
    );
    let advice = Advice {
        should,
        why: "the runtime waits for sockets, timers and files through io_uring",
        buys: "the broker starts",
        source: "kernel: Documentation/admin-guide/sysctl/kernel.rst, io_uring_disabled",
        remedy: Remedy::Sysctl(settings),
    };
    Finding::advise(TOPIC, Verdict::Must, is, advice)
}

fn absent() -> Finding {
    let advice = Advice {
        should: "a kernel built with CONFIG_IO_URING".to_owned(),
        why: "the runtime waits for sockets, timers and files through io_uring",
        buys: "the broker starts",
        source: "man io_uring_setup",
        remedy: Remedy::ByHand {
            set: vec!["boot such a kernel".to_owned()],
            undo: vec!["boot the old one".to_owned()],
        },
    };
    Finding::advise(
        TOPIC,
        Verdict::Must,
        "the kernel knows no io_uring_setup",
        advice,
    )
}

const FILTER: &str = "jq -f tuning/seccomp.jq DEFAULT.json > vltava.json; docker run --security-opt seccomp=vltava.json ... \
                      (/usr/share/vltava/seccomp.jq of the package)";

fn filtered() -> Finding {
    let advice = Advice {
        should: "io_uring_setup, io_uring_enter and io_uring_register allowed".to_owned(),
        why: "the default seccomp profiles of container runtimes have left out io_uring since 2023",
        buys: "the broker starts",
        source: "moby: profiles/seccomp; containerd: contrib/seccomp",
        remedy: Remedy::ByHand {
            set: vec![FILTER.to_owned()],
            undo: vec!["drop the option".to_owned()],
        },
    };
    Finding::advise(
        TOPIC,
        Verdict::Must,
        "forbidden to this process by a filter or security module",
        advice,
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::settings;
    use super::*;

    fn host(disabled: Option<u8>, ring: Option<Ring>) -> Host {
        Host {
            io_uring_disabled: disabled,
            io_uring_group: Some(-1),
            ring,
            ..Host::default()
        }
    }

    #[test]
    fn the_sysctl_opens_it_for_the_brokers_group_alone_where_there_is_one() {
        let mut host = host(Some(2), Some(Ring::Forbidden));
        assert_eq!(settings(&look(&host)), ["kernel.io_uring_disabled=0"]);
        host.group = Some(995);
        assert_eq!(
            settings(&look(&host)),
            ["kernel.io_uring_group=995", "kernel.io_uring_disabled=1"]
        );
        host.io_uring_disabled = Some(1);
        assert_eq!(look(&host).verdict, Verdict::Must);
        host.io_uring_group = Some(995);
        assert_eq!(look(&host).verdict, Verdict::Fine);
    }

    #[test]
    fn a_broker_that_runs_has_what_it_needs() {
        let mut host = host(Some(2), None);
        host.process.command_line = vec!["vltava".to_owned(), "serve".to_owned()];
        assert_eq!(look(&host).verdict, Verdict::Fine);
    }

    #[test]
    fn a_filter_is_told_from_a_kernel_without_it() {
        let forbidden = look(&host(Some(0), Some(Ring::Forbidden)));
        assert!(forbidden.verdict == Verdict::Must && forbidden.is.contains("filter"));
        let absent = look(&host(None, Some(Ring::Absent)));
        assert!(absent.verdict == Verdict::Must && absent.is.contains("kernel"));
        let mut filtered = host(None, Some(Ring::Absent));
        filtered.process.is_filtered = Some(true);
        assert!(look(&filtered).is.contains("filter"));
        assert_eq!(look(&host(None, Some(Ring::Works))).verdict, Verdict::Fine);
        assert_eq!(look(&host(Some(0), None)).verdict, Verdict::Unseen);
    }
}
