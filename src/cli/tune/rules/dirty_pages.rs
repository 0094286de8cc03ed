//! How much may be written to the page cache before the kernel begins to write it out.

use super::super::finding::{Advice, Finding, Remedy, Setting, Verdict};
use super::super::host::{DirtyLimits, Host};

const TOPIC: &str = "dirty pages";
const BACKGROUND_BYTES: &str = "vm.dirty_background_bytes";
/// Writing out is to begin at this.
const WANTED: u64 = 256 << 20;
/// Beginning later than at this is worth changing.
const TOLERATED: u64 = 1 << 30;

/// Whether writing out begins so late that it comes in floods.
pub fn look(host: &Host) -> Finding {
    let Some((begins, was)) = background(&host.dirty, host.memory) else {
        return Finding::unseen(TOPIC, "vm.dirty_* cannot be read");
    };
    let is = format!(
        "writing out begins at about {} MiB ({} = {})",
        begins >> 20,
        was.0,
        was.1
    );
    if begins <= TOLERATED {
        return Finding::fine(TOPIC, is);
    }
    let advice = Advice {
        should: format!("at {} MiB", WANTED >> 20),
        why: "what waits in the page cache is written out in floods, and whoever appends or syncs meanwhile waits for them",
        buys: BUYS,
        source: super::MEASURED,
        remedy: Remedy::Sysctl(vec![Setting::sysctl(BACKGROUND_BYTES, WANTED, was)]),
    };
    Finding::advise(TOPIC, Verdict::Change, is, advice)
}

const BUYS: &str = "at 200 MB/s to 16 partitions a p99 of 11 to 56 ms, against 78 ms to 4.2 s; to one partition no difference";

/// Bytes at which it begins, and the setting that says so: bytes count where they are not 0, otherwise percent of the memory
/// that can be had, of which the machine's whole is the bound.
fn background(dirty: &DirtyLimits, memory: Option<u64>) -> Option<(u64, (&'static str, u64))> {
    match (dirty.background_bytes, dirty.background_ratio) {
        (Some(bytes @ 1..), _) => Some((bytes, (BACKGROUND_BYTES, bytes))),
        (_, Some(ratio)) => Some((
            memory?.saturating_mul(ratio) / 100,
            ("vm.dirty_background_ratio", ratio),
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{advice, settings};
    use super::*;

    fn host(bytes: u64, ratio: u64, memory: u64) -> Host {
        Host {
            dirty: DirtyLimits {
                background_bytes: Some(bytes),
                background_ratio: Some(ratio),
            },
            memory: Some(memory),
            ..Host::default()
        }
    }

    #[test]
    fn ten_percent_of_much_memory_is_worth_changing_and_comes_back_as_ten_percent() {
        let finding = look(&host(0, 10, 64 << 30));
        assert_eq!(finding.verdict, Verdict::Change);
        assert_eq!(settings(&finding), ["vm.dirty_background_bytes=268435456"]);
        let Remedy::Sysctl(found) = &advice(&finding).remedy else {
            panic!("{finding:?}")
        };
        assert_eq!(found[0].undo, "sysctl -w 'vm.dirty_background_ratio=10'");
    }

    #[test]
    fn bytes_count_before_percent_and_little_memory_is_fine() {
        assert_eq!(look(&host(1 << 28, 0, 64 << 30)).verdict, Verdict::Fine);
        assert_eq!(look(&host(1 << 31, 0, 64 << 30)).verdict, Verdict::Change);
        assert_eq!(look(&host(0, 10, 4 << 30)).verdict, Verdict::Fine);
        assert_eq!(look(&Host::default()).verdict, Verdict::Unseen);
    }
}
