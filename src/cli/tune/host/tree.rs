//! Small files of `/proc`, `/sys` and `/etc` below a root: of this host, or of a tree that a test or a copy made.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The largest file that is read: `/proc/interrupts` of a machine with many CPUs is some megabytes.
const FILE_MAX_BYTES: u64 = 8 * 1024 * 1024;

/// Where the files are.
#[derive(Clone, Debug)]
pub struct Tree {
    root: PathBuf,
}

impl Tree {
    /// The files below `root`; `/` is this host.
    pub fn at(root: &Path) -> Tree {
        Tree {
            root: root.to_owned(),
        }
    }

    /// Whether these are the files of the host that we run on.
    pub fn is_here(&self) -> bool {
        self.root == Path::new("/")
    }

    fn place(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// What the file says, without white space at its ends; nothing if it cannot be read.
    pub fn text(&self, path: &str) -> Option<String> {
        let mut bytes = Vec::new();
        let file = File::open(self.place(path)).ok()?;
        file.take(FILE_MAX_BYTES).read_to_end(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    /// A file that holds one number.
    pub fn number<T: FromStr>(&self, path: &str) -> Option<T> {
        self.text(path)?.parse().ok()
    }

    /// The numbers in a file that holds several, such as `tcp_wmem`.
    pub fn numbers<T: FromStr>(&self, path: &str) -> Option<Vec<T>> {
        let text = self.text(path)?;
        text.split_whitespace()
            .map(|word| word.parse().ok())
            .collect()
    }

    /// The choice in brackets of a file such as `always [madvise] never`.
    pub fn chosen(&self, path: &str) -> Option<String> {
        let text = self.text(path)?;
        let (_, rest) = text.split_once('[')?;
        Some(rest.split_once(']')?.0.to_owned())
    }

    /// The names in a folder, sorted as text.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.place(folder)).into_iter().flatten();
        let mut names: Vec<_> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }

    /// Whether something of that name is there.
    pub fn has(&self, path: &str) -> bool {
        self.place(path).symlink_metadata().is_ok()
    }

    /// Where a link leads.
    pub fn link(&self, path: &str) -> Option<PathBuf> {
        fs::read_link(self.place(path)).ok()
    }

    /// What `path` is without links, as far as it is there; as seen from inside the root.
    pub fn resolved(&self, path: &Path) -> Option<PathBuf> {
        let root = self.root.canonicalize().ok()?;
        let inside = path.strip_prefix("/").unwrap_or(path);
        let there = self.root.join(inside);
        let mut nearest = there.as_path();
        loop {
            if let Ok(found) = nearest.canonicalize() {
                let rest = there.strip_prefix(nearest).ok()?;
                let place = Path::new("/").join(found.strip_prefix(&root).ok()?);
                return Some(if rest.as_os_str().is_empty() {
                    place
                } else {
                    place.join(rest)
                });
            }
            nearest = nearest.parent()?;
        }
    }
}

/// The numbers of a list such as `0-3,8`; nothing if it is none, or goes on beyond what Linux can have.
pub fn cpu_list(text: &str) -> Option<Vec<usize>> {
    use crate::config::CoreChoice;
    // A single number alone would be read as a count.
    let list = match text.trim() {
        "" => return Some(Vec::new()),
        one if one.parse::<usize>().is_ok() => format!("{one}-{one}"),
        several => several.to_owned(),
    };
    match list.parse() {
        Ok(CoreChoice::List(cpus)) => Some(cpus),
        _ => None,
    }
}

/// As [`cpu_list`] reads it: `0-3,8`.
pub fn as_cpu_list(cpus: &[usize]) -> String {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for &cpu in cpus {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == cpu => *last = cpu,
            _ => ranges.push((cpu, cpu)),
        }
    }
    let shown = ranges.iter().map(|(first, last)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}-{last}")
        }
    });
    shown.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_cpus_is_read_and_shown_as_the_kernel_does() {
        for (text, cpus) in [
            ("", vec![]),
            ("0", vec![0]),
            ("0-3,8", vec![0, 1, 2, 3, 8]),
            ("7", vec![7]),
        ] {
            assert_eq!(cpu_list(text), Some(cpus.clone()), "{text}");
            assert_eq!(as_cpu_list(&cpus), text);
        }
        assert_eq!(cpu_list("0-999999999"), None);
        assert_eq!(cpu_list("none"), None);
    }

    #[test]
    fn links_are_followed_as_far_as_a_path_is_there() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("srv/disk")).unwrap();
        std::os::unix::fs::symlink("srv/disk", root.path().join("data")).unwrap();
        let tree = Tree::at(root.path());
        assert_eq!(
            tree.resolved(Path::new("/data/vltava/new")),
            Some(PathBuf::from("/srv/disk/vltava/new"))
        );
    }

    #[test]
    fn the_choice_of_several_is_the_one_in_brackets() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("enabled"), "always [madvise] never\n").unwrap();
        let tree = Tree::at(root.path());
        assert_eq!(tree.chosen("/enabled").as_deref(), Some("madvise"));
        assert_eq!(tree.chosen("/absent"), None);
    }
}
