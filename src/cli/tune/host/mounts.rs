//! What is mounted where, from `/proc/self/mountinfo`.

use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// One mounted file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Where it is mounted.
    pub point: PathBuf,
    /// `ext4`, `xfs`, ...
    pub kind: String,
    /// The device or what stands for it.
    pub source: String,
    /// Options of the mount and of the file system, as they are in force.
    pub options: Vec<String>,
}

impl Mount {
    /// Whether the option is in force, by its whole name: `noatime`, `data=journal`.
    pub fn has(&self, option: &str) -> bool {
        self.options.iter().any(|other| other == option)
    }
}

/// The mounts that the text of a `mountinfo` lists; lines that are no mounts are left out.
pub fn mounts_in(mountinfo: &str) -> Vec<Mount> {
    mountinfo.lines().filter_map(mount).collect()
}

/// `36 35 98:0 /root /mnt rw,noatime master:1 - ext4 /dev/sda1 rw,errors=continue`: the fields before the dash vary in number.
fn mount(line: &str) -> Option<Mount> {
    let (of_mount, of_system) = line.split_once(" - ")?;
    let mut of_mount = of_mount.split(' ').skip(4);
    let mut of_system = of_system.split(' ');
    let (point, mount_options) = (of_mount.next()?, of_mount.next()?);
    let (kind, source) = (of_system.next()?, of_system.next()?);
    let options = mount_options.split(',').chain(of_system.next()?.split(','));
    Some(Mount {
        point: unescaped(point),
        kind: kind.to_owned(),
        source: source.to_owned(),
        options: options.map(str::to_owned).collect(),
    })
}

/// Blanks, tabs, line ends and backslashes are written as `\` and three octal digits.
fn unescaped(text: &str) -> PathBuf {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = text.get(at + 1..at + 4).filter(|_| bytes[at] == b'\\');
        if let Some(byte) = code.and_then(|octal| u8::from_str_radix(octal, 8).ok()) {
            plain.push(byte);
            at += 4;
        } else {
            plain.push(bytes[at]);
            at += 1;
        }
    }
    std::ffi::OsString::from_vec(plain).into()
}

/// The mount that `path` lies on: the last of the longest ones above it, as a later mount hides an earlier one.
pub fn mount_of<'a>(mounts: &'a [Mount], path: &Path) -> Option<&'a Mount> {
    let above = mounts.iter().filter(|mount| path.starts_with(&mount.point));
    above.max_by_key(|mount| mount.point.as_os_str().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTINFO: &str = r"22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
31 27 7:0 / /srv/my\040disk rw,noatime shared:3 - xfs /dev/loop0 rw,attr2
32 27 7:1 / /srv/my\040disk rw,relatime - btrfs /dev/loop1 rw
not a mount";

    #[test]
    fn a_mount_is_read_with_the_options_of_both_kinds() {
        let mounts = mounts_in(MOUNTINFO);
        assert_eq!(mounts.len(), 4);
        assert_eq!(mounts[2].point, Path::new("/srv/my disk"));
        assert_eq!(
            (mounts[2].kind.as_str(), mounts[2].source.as_str()),
            ("xfs", "/dev/loop0")
        );
        assert!(mounts[2].has("noatime") && mounts[2].has("attr2") && !mounts[2].has("atime"));
    }

    #[test]
    fn a_path_lies_on_the_longest_mount_above_it_that_came_last() {
        let mounts = mounts_in(MOUNTINFO);
        let kind = |path: &str| mount_of(&mounts, Path::new(path)).unwrap().kind.as_str();
        assert_eq!(kind("/srv/my disk/data"), "btrfs");
        assert_eq!(kind("/srv/my disks"), "ext4");
        assert_eq!(mount_of(&[], Path::new("/srv")), None);
    }
}
