//! Transparent huge pages: looked at because operators ask; any mode will do.

use super::super::finding::Finding;
use super::super::host::Host;

const TOPIC: &str = "huge pages";

/// Whether the kernel makes huge pages by itself.
pub fn look(host: &Host) -> Finding {
    match &host.huge_pages {
        None => Finding::unseen(TOPIC, "no /sys/kernel/mm/transparent_hugepage/enabled"),
        Some(mode) => Finding::fine(TOPIC, format!("{mode}; {FOUND} ({})", super::MEASURED)),
    }
}

/// The heap is small and warm, and the page cache of a log's file system is not made of anonymous huge pages.
const FOUND: &str = "always, madvise and never made no difference in CPU, latency or memory";

#[cfg(test)]
mod tests {
    use super::super::super::finding::Verdict;
    use super::*;

    #[test]
    fn no_mode_is_worth_changing() {
        let of = |mode: Option<&str>| Host {
            huge_pages: mode.map(str::to_owned),
            ..Host::default()
        };
        for mode in ["always", "madvise", "never"] {
            let finding = look(&of(Some(mode)));
            assert_eq!(finding.verdict, Verdict::Fine);
            assert!(finding.is.starts_with(mode), "{}", finding.is);
        }
        assert_eq!(look(&of(None)).verdict, Verdict::Unseen);
    }
}
