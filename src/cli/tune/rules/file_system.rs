//! What the data directory lies on.

use std::path::Path;

use super::super::finding::{Advice, Finding, Remedy, Verdict};
use super::super::host::{Host, Mount, mount_of};

const TOPIC: &str = "file system";

/// Whether the file system of `dir`, and the way it is mounted, suit a log.
pub fn look(host: &Host, dir: &Path) -> Finding {
    let Some(mount) = mount_of(&host.mounts, dir) else {
        return Finding::unseen(
            TOPIC,
            format!(
                "{}: /proc/self/mountinfo shows no mount for it",
                dir.display()
            ),
        );
    };
    let is = format!(
        "{} on {} ({}, {})",
        dir.display(),
        mount.kind,
        mount.source,
        mount.point.display()
    );
    if let Some((option, advice)) = dangerous(mount) {
        return Finding::advise(TOPIC, Verdict::Must, format!("{is} with {option}"), advice);
    }
    match mount.kind.as_str() {
        "xfs" => Finding::fine(TOPIC, is),
        "ext4" => Finding::advise(TOPIC, Verdict::Consider, is, ext4()),
        "tmpfs" | "ramfs" => Finding::advise(TOPIC, Verdict::Must, is, in_memory()),
        kind if is_remote(kind) => Finding::advise(TOPIC, Verdict::Must, is, remote()),
        _ => Finding::advise(TOPIC, Verdict::Consider, is, other()),
    }
}

fn is_remote(kind: &str) -> bool {
    [
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "9p",
        "ceph",
        "glusterfs",
        "virtiofs",
    ]
    .contains(&kind)
        || kind.starts_with("fuse")
}

fn by_hand(set: &str, undo: &str) -> Remedy {
    Remedy::ByHand {
        set: vec![set.to_owned()],
        undo: vec![undo.to_owned()],
    }
}

/// Options under which an fdatasync does not mean what it says, or each write waits for the disk.
fn dangerous(mount: &Mount) -> Option<(&'static str, Advice)> {
    if let Some(option) = ["nobarrier", "barrier=0"]
        .into_iter()
        .find(|option| mount.has(option))
    {
        let advice = Advice {
            should: format!("without {option}"),
            why: "the disk's write cache is not flushed by fdatasync",
            buys: "what was acknowledged with flush.messages=1 outlives a power cut",
            source: "man ext4, barrier",
            remedy: by_hand("take it out of /etc/fstab and mount anew", "put it back"),
        };
        return Some((option, advice));
    }
    let option = ["sync", "data=journal"]
        .into_iter()
        .find(|option| mount.has(option))?;
    let advice = Advice {
        should: format!("without {option}"),
        why: "every write waits for the disk, or is written twice",
        buys: "writes at the speed of the page cache; the flush policy is the topic's affair (flush.messages)",
        source: "man mount, sync; man ext4, data",
        remedy: by_hand("take it out of /etc/fstab and mount anew", "put it back"),
    };
    Some((option, advice))
}

fn ext4() -> Advice {
    Advice {
        should: "XFS, on a volume of its own".to_owned(),
        why: "ext4 hands every buffered write through io_uring to a kernel worker; XFS takes it at once where it can",
        buys: EXT4_BUYS,
        source: super::MEASURED,
        remedy: by_hand(
            "stop the broker; mkfs.xfs a new volume, mount it, cp -a the data directory, change log.dirs",
            "stop the broker; change log.dirs back, and copy what came since",
        ),
    }
}

const EXT4_BUYS: &str = "a fifth less CPU for each GB produced (0.65 s against 0.82), and with flush.messages=1 a p99 of 3 ms \
                         against 11 to 137; consuming costs the same";

fn in_memory() -> Advice {
    Advice {
        should: "a disk".to_owned(),
        why: "it is in memory",
        buys: "the data outlives the machine's next start",
        source: "man tmpfs",
        remedy: by_hand("change log.dirs", "change it back"),
    }
}

fn remote() -> Advice {
    Advice {
        should: "a local disk with XFS or ext4".to_owned(),
        why: "file systems behind a network or in user space may not tell the truth about fdatasync, and may know neither RWF_NOWAIT \
              nor cachestat, so that every read counts as cold",
        buys: "the promises of docs/durability.md, and fetches that never wait for a read of cached data",
        source: "man nfs, DATA AND METADATA COHERENCE; man preadv2, RWF_NOWAIT",
        remedy: by_hand(
            "stop the broker, cp -a the data directory to a local disk, change log.dirs",
            "change log.dirs back",
        ),
    }
}

fn other() -> Advice {
    Advice {
        should: "XFS or ext4, on a volume of its own".to_owned(),
        why: "these are what the broker is tried on; file systems that copy on write scatter a log that grows in many small pieces",
        buys: "nothing that was measured; it is known ground",
        source: "tuning/README.md",
        remedy: by_hand(
            "stop the broker; mkfs.xfs a new volume, mount it, cp -a the data directory, change log.dirs",
            "change log.dirs back",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::host::mounts_in;
    use super::super::testing::advice;
    use super::*;

    fn on(kind: &str, options: &str) -> Finding {
        let line = format!("31 27 7:0 / /srv {options} - {kind} /dev/sdb rw");
        let host = Host {
            mounts: mounts_in(&line),
            ..Host::default()
        };
        look(&host, Path::new("/srv/vltava"))
    }

    #[test]
    fn each_kind_has_its_verdict() {
        for (kind, verdict) in [
            ("xfs", Verdict::Fine),
            ("ext4", Verdict::Consider),
            ("btrfs", Verdict::Consider),
            ("overlay", Verdict::Consider),
            ("tmpfs", Verdict::Must),
            ("nfs4", Verdict::Must),
            ("fuse.sshfs", Verdict::Must),
        ] {
            assert_eq!(on(kind, "rw,relatime").verdict, verdict, "{kind}");
        }
    }

    #[test]
    fn options_that_break_a_promise_or_every_write_are_named() {
        for option in ["nobarrier", "barrier=0", "sync", "data=journal"] {
            let finding = on("xfs", &format!("rw,{option}"));
            assert_eq!(finding.verdict, Verdict::Must);
            assert!(finding.is.ends_with(option) && advice(&finding).should.ends_with(option));
        }
    }

    #[test]
    fn a_directory_on_no_mount_that_is_shown_is_unseen() {
        let finding = look(&Host::default(), Path::new("/srv"));
        assert_eq!(finding.verdict, Verdict::Unseen);
    }
}
