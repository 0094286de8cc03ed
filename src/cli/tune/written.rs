//! The two files that `--apply` writes: their text, and whether a file is still one of them. Pure.
//!
//! ```text
//! # Written by `vltava tune --apply`. ...
//! # Checksum of what follows: 1c291ca3
//!
//! [Service]                                        in the drop-in only
//!
//! # open files: 1024; should be 200000
//! # to undo: systemctl daemon-reload && systemctl restart vltava
//! LimitNOFILE=200000
//! ```
//!
//! The command that undoes a setting stands in the file, so that it still knows what was there before when the host has
//! forgotten it. The checksum is no seal: it tells whether somebody has put a hand to the file.

use std::fmt::Write;

use super::finding::{Finding, Remedy, Setting};

/// One of the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `sysctl.d(5)`
    Sysctl,
    /// A drop-in of the service, `systemd.unit(5)`
    DropIn,
}

impl Kind {
    /// Both.
    pub const ALL: [Kind; 2] = [Kind::Sysctl, Kind::DropIn];

    /// Where it is, below the root.
    pub fn path(self) -> &'static str {
        match self {
            Kind::Sysctl => "etc/sysctl.d/60-vltava.conf",
            Kind::DropIn => "etc/systemd/system/vltava.service.d/tuning.conf",
        }
    }

    /// What makes its settings be in force before the next start of the host.
    pub fn loaded_by(self) -> &'static str {
        match self {
            Kind::Sysctl => "sysctl --system",
            Kind::DropIn => "systemctl daemon-reload && systemctl restart vltava",
        }
    }
}

/// A setting in a file, with the reason it is there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// What was found, in a line.
    pub about: String,
    /// The setting.
    pub setting: Setting,
}

/// Why a text is not a file that we may touch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Foreign {
    /// We never wrote it.
    NotOurs,
    /// It was changed since.
    Changed,
}

const FIRST_LINE: &str = "# Written by `vltava tune --apply`. `vltava tune --undo` removes it, as long as nobody changes it; settings of your own belong in a file of their own.\n";
const CHECKSUM: &str = "# Checksum of what follows: ";
const UNDO: &str = "# to undo: ";

/// The settings that a file of this kind should hold: what was found worth changing, and what it holds already. What is set
/// already looks well on the host *because* it is set.
pub fn entries(kind: Kind, findings: &[Finding], already: &[Entry]) -> Vec<Entry> {
    let mut entries = already.to_vec();
    for finding in findings {
        let Some(advice) = &finding.advice else {
            continue;
        };
        let settings = match (&advice.remedy, kind) {
            (Remedy::Sysctl(settings), Kind::Sysctl) | (Remedy::DropIn(settings), Kind::DropIn) => {
                settings
            }
            _ => continue,
        };
        let about = format!(
            "{}: {}; should be {}",
            finding.topic, finding.is, advice.should
        );
        for setting in settings {
            put(&mut entries, &about, setting);
        }
    }
    entries
}

/// A new value takes the place of an old one, and undoes to what was before the old one.
fn put(entries: &mut Vec<Entry>, about: &str, setting: &Setting) {
    match entries
        .iter_mut()
        .find(|entry| entry.setting.key == setting.key)
    {
        Some(entry) if entry.setting.value == setting.value => {}
        Some(entry) => {
            about.clone_into(&mut entry.about);
            entry.setting.value.clone_from(&setting.value);
        }
        None => entries.push(Entry {
            about: about.to_owned(),
            setting: setting.clone(),
        }),
    }
}

/// The text of the file.
pub fn render(kind: Kind, entries: &[Entry]) -> String {
    let mut body = String::from("\n");
    if kind == Kind::DropIn {
        body.push_str("[Service]\n\n");
    }
    for Entry { about, setting } in entries {
        let equals = match kind {
            Kind::Sysctl => " = ",
            Kind::DropIn => "=",
        };
        let Setting { key, value, undo } = setting;
        // Writing to a string cannot fail.
        let _ = writeln!(body, "# {about}\n{UNDO}{undo}\n{key}{equals}{value}\n");
    }
    format!(
        "{FIRST_LINE}{CHECKSUM}{:08x}\n{body}",
        crc32fast::hash(body.as_bytes())
    )
}

/// The settings in a file that [`render`] made.
///
/// # Errors
/// It was not made by it, or is not as it was made.
pub fn parse(text: &str) -> Result<Vec<Entry>, Foreign> {
    let ours = text
        .strip_prefix(FIRST_LINE)
        .and_then(|rest| rest.strip_prefix(CHECKSUM));
    let (checksum, body) = ours
        .and_then(|rest| rest.split_once('\n'))
        .ok_or(Foreign::NotOurs)?;
    if u32::from_str_radix(checksum, 16) != Ok(crc32fast::hash(body.as_bytes())) {
        return Err(Foreign::Changed);
    }
    let blocks = body.split("\n\n").map(str::trim);
    Ok(blocks.filter_map(entry).collect())
}

fn entry(block: &str) -> Option<Entry> {
    let mut lines = block.lines();
    let about = lines.next()?.strip_prefix("# ")?.to_owned();
    let undo = lines.next()?.strip_prefix(UNDO)?.to_owned();
    let (key, value) = lines.next()?.split_once('=')?;
    Some(Entry {
        about,
        setting: Setting {
            key: key.trim().to_owned(),
            value: value.trim().to_owned(),
            undo,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::finding::{Advice, Verdict};
    use super::*;

    fn found(key: &str, value: u64, was: u64) -> Finding {
        let advice = Advice {
            should: value.to_string(),
            why: "",
            buys: "",
            source: "",
            remedy: Remedy::Sysctl(vec![Setting::sysctl(key, value, (key, was))]),
        };
        Finding::advise("topic", Verdict::Change, was.to_string(), advice)
    }

    #[test]
    fn what_is_written_is_read_back() {
        for kind in Kind::ALL {
            let entries = entries(Kind::Sysctl, &[found("a.b", 2, 1), found("c", 3, 0)], &[]);
            let text = render(kind, &entries);
            assert_eq!(parse(&text), Ok(entries), "{text}");
        }
    }

    #[test]
    fn a_file_that_was_changed_or_is_another_is_told() {
        let text = render(
            Kind::Sysctl,
            &entries(Kind::Sysctl, &[found("a.b", 2, 1)], &[]),
        );
        assert_eq!(parse(&text.replace("= 2", "= 3")), Err(Foreign::Changed));
        assert_eq!(parse(&format!("{text}x = 1\n")), Err(Foreign::Changed));
        assert_eq!(parse("vm.swappiness = 1\n"), Err(Foreign::NotOurs));
        assert_eq!(parse(""), Err(Foreign::NotOurs));
    }

    #[test]
    fn what_is_set_already_stays_although_the_host_looks_well_now() {
        let first = entries(Kind::Sysctl, &[found("a", 2, 1)], &[]);
        assert_eq!(entries(Kind::Sysctl, &[], &first), first);
    }

    #[test]
    fn a_new_value_undoes_to_what_was_before_the_old_one() {
        let first = entries(Kind::Sysctl, &[found("a", 2, 1)], &[]);
        let second = entries(Kind::Sysctl, &[found("a", 4, 2)], &first);
        assert_eq!(second.len(), 1);
        assert_eq!(second[0].setting.value, "4");
        assert_eq!(second[0].setting.undo, "sysctl -w 'a=1'");
    }

    #[test]
    fn each_file_holds_its_own_kind_only() {
        assert_eq!(entries(Kind::DropIn, &[found("a", 2, 1)], &[]), []);
    }
}
