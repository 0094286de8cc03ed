//! The kernel's version.

use super::super::finding::{Advice, Finding, Remedy, Verdict};
use super::super::host::Host;

const TOPIC: &str = "kernel";
/// The runtime uses operations of io_uring that came with it.
const NEEDED: (u32, u32) = (5, 8);
/// `cachestat(2)` came with it.
const BETTER: (u32, u32) = (6, 5);

/// Whether the kernel is new enough.
pub fn look(host: &Host) -> Finding {
    let (Some(version), Some(release)) = (host.kernel(), &host.release) else {
        return Finding::unseen(TOPIC, "/proc/sys/kernel/osrelease says no version");
    };
    let (verdict, should, buys) = if version < NEEDED {
        (Verdict::Must, "5.8 or newer", "the broker starts")
    } else if version < BETTER {
        (
            Verdict::Consider,
            "6.5 or newer",
            "fetches of partly cached old data never put a core to sleep for a disk read",
        )
    } else {
        return Finding::fine(TOPIC, format!("Linux {release}"));
    };
    let advice = Advice {
        should: should.to_owned(),
        why: "5.8 brought the operations of io_uring that the runtime uses, 6.5 cachestat(2), which tells what of a range is in the \
              page cache; before it only the ends of a range can be probed",
        buys,
        source: "man cachestat; git history of io_uring",
        remedy: Remedy::ByHand {
            set: vec!["boot a newer kernel".to_owned()],
            undo: vec!["boot the old one".to_owned()],
        },
    };
    Finding::advise(TOPIC, verdict, format!("Linux {release}"), advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_before_5_8_do_and_before_6_5_could_do_better() {
        for (release, verdict) in [
            ("5.4.0-1", Verdict::Must),
            ("5.8.0", Verdict::Consider),
            ("6.1.0-18-amd64", Verdict::Consider),
            ("6.5.0", Verdict::Fine),
            ("10.0-rc1", Verdict::Fine),
            ("new", Verdict::Unseen),
        ] {
            let host = Host {
                release: Some(release.to_owned()),
                ..Host::default()
            };
            assert_eq!(look(&host).verdict, verdict, "{release}");
        }
    }
}
