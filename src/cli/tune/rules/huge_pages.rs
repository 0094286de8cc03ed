//! Transparent huge pages.

use super::super::finding::{Advice, Finding, Remedy, Verdict};
use super::super::host::Host;

const TOPIC: &str = "huge pages";
const FILE: &str = "/sys/kernel/mm/transparent_hugepage/enabled";

/// Whether the kernel makes huge pages of whatever it can.
pub fn look(host: &Host) -> Finding {
    let mode = match host.huge_pages.as_deref() {
        None => return Finding::unseen(TOPIC, format!("no {FILE}")),
        Some("always") => "always",
        Some(other) => return Finding::fine(TOPIC, other),
    };
    let advice = Advice {
        should: "madvise".to_owned(),
        why: "the kernel makes huge pages of the broker's heap behind its back: memory grows in steps of 2 MiB, and a page fault \
              may wait until one is put together",
        buys: BUYS,
        source: super::MEASURED,
        remedy: Remedy::ByHand {
            set: vec![format!(
                "echo madvise > {FILE}; at every start: echo 'w {FILE} - - - - madvise' > /etc/tmpfiles.d/vltava.conf"
            )],
            undo: vec![format!(
                "echo {mode} > {FILE}; rm /etc/tmpfiles.d/vltava.conf"
            )],
        },
    };
    Finding::advise(TOPIC, Verdict::Consider, mode, advice)
}

const BUYS: &str = "TBD";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn huge_pages_for_everyone_are_worth_a_thought() {
        let of = |mode: Option<&str>| Host {
            huge_pages: mode.map(str::to_owned),
            ..Host::default()
        };
        assert_eq!(look(&of(Some("always"))).verdict, Verdict::Consider);
        assert_eq!(look(&of(Some("madvise"))).verdict, Verdict::Fine);
        assert_eq!(look(&of(Some("never"))).verdict, Verdict::Fine);
        assert_eq!(look(&of(None)).verdict, Verdict::Unseen);
    }
}
