//! Whether the page cache is still the one that a former process wrote to: which boot, which attachment of the disk, which file.
//!
//! Plain blocking calls. It must never know what is concluded from the answers.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::UNIX_EPOCH;

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// A boot of the machine, and an attachment of the disk to it. What was written within one era is in the page cache or on
/// the device, even if the process that wrote it is gone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Era {
    /// A new UUID at every boot (random(4)).
    pub boot_id: String,
    /// The kernel's number of the attachment of the disk under a directory; `-` where there is none: file systems
    /// without a disk, kernels before 5.15.
    pub disk_sequence: String,
}

impl Era {
    /// The era of the directory `dir` now; `None` if the system does not tell.
    pub fn of(dir: &Path) -> Option<Era> {
        let boot_id = fs::read_to_string(BOOT_ID).ok()?.trim().to_owned();
        uuid::Uuid::parse_str(&boot_id).ok()?;
        Some(Era {
            boot_id,
            disk_sequence: disk_sequence(dir)?,
        })
    }
}

/// The number of the disk's attachment. A partition has that of its disk.
fn disk_sequence(dir: &Path) -> Option<String> {
    let device = fs::metadata(dir).ok()?.dev();
    let (major, minor) = (libc::major(device), libc::minor(device));
    let sys = format!("/sys/dev/block/{major}:{minor}");
    let found = ["diskseq", "../diskseq"]
        .iter()
        .find_map(|name| fs::read_to_string(Path::new(&sys).join(name)).ok());
    let number = found.map(|text| text.trim().to_owned());
    Some(
        number
            .filter(|number| number.parse::<u64>().is_ok())
            .unwrap_or_else(|| "-".to_owned()),
    )
}

/// Which file it is: a copy, or another one by the same name, is not the same even if its inode's number is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileIdentity {
    /// Device number.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
    /// When the inode was made, in nanoseconds since 1970.
    pub born_ns: u64,
}

impl FileIdentity {
    /// Of an open file.
    ///
    /// # Errors
    /// The file system's; also that it does not know when files were made.
    pub fn of(file: &File) -> io::Result<FileIdentity> {
        FileIdentity::in_metadata(&file.metadata()?)
    }

    fn in_metadata(metadata: &Metadata) -> io::Result<FileIdentity> {
        let born = metadata.created()?.duration_since(UNIX_EPOCH);
        Ok(FileIdentity {
            device: metadata.dev(),
            inode: metadata.ino(),
            born_ns: born
                .ok()
                .and_then(|born| u64::try_from(born.as_nanos()).ok())
                .ok_or(io::ErrorKind::InvalidData)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_era_lasts() {
        let dir = tempfile::tempdir().unwrap();
        let era = Era::of(dir.path());
        assert!(era.is_some(), "/proc is there");
        assert_eq!(era, Era::of(dir.path()));
        assert_eq!(Era::of(&dir.path().join("gone")), None);
    }

    #[test]
    fn a_file_keeps_its_identity_through_a_rename_and_a_copy_has_another() {
        let dir = tempfile::tempdir().unwrap();
        let [first, renamed, copy] = ["a", "b", "c"].map(|name| dir.path().join(name));
        fs::write(&first, "x").unwrap();
        let of = |path: &Path| FileIdentity::of(&File::open(path).unwrap()).unwrap();
        let before = of(&first);
        fs::rename(&first, &renamed).unwrap();
        fs::copy(&renamed, &copy).unwrap();
        assert_eq!(of(&renamed), before);
        assert_ne!(of(&copy), before);
    }
}
