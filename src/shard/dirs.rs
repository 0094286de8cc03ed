//! The data directories of a broker, as all its cores see them: which there are, and which can be used.
//!
//! A directory that cannot be used stays so until the broker is started again; its partitions are offline, the others go on.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use uuid::Uuid;

/// A data directory.
#[derive(Debug)]
pub struct Dir {
    /// Where it is.
    pub path: PathBuf,
    /// Its id, if its `meta.properties` could be read.
    pub id: Option<Uuid>,
    /// It takes partitions of topics: it is one of `log.dirs`.
    pub takes_partitions: bool,
    /// Why it cannot be used.
    lost: OnceLock<String>,
}

/// All of them.
#[derive(Debug)]
pub struct Dirs {
    all: Vec<Dir>,
    metadata: usize,
}

impl Dir {
    /// A directory that can be used.
    pub fn new(path: PathBuf, id: Uuid, takes_partitions: bool) -> Dir {
        Dir {
            path,
            id: Some(id),
            takes_partitions,
            lost: OnceLock::new(),
        }
    }

    /// A directory that cannot be used, and why.
    pub fn lost(path: PathBuf, reason: String) -> Dir {
        Dir {
            path,
            id: None,
            takes_partitions: true,
            lost: OnceLock::from(reason),
        }
    }

    /// Why it cannot be used, if it cannot.
    pub fn loss(&self) -> Option<&str> {
        self.lost.get().map(String::as_str)
    }

    /// It cannot be used from here on; whether that is news. Said once.
    pub(super) fn lose(&self, reason: &str) -> bool {
        let is_news = self.lost.set(reason.to_owned()).is_ok();
        if is_news {
            log::error!(
                "the data directory {} takes no new partitions and its checkpoints are not written: {reason}. Others go on; put it \
                 right and start the broker again",
                self.path.display()
            );
        }
        is_news
    }
}

impl Dirs {
    /// These, of which the one at `metadata` has the metadata log.
    pub fn new(all: Vec<Dir>, metadata: usize) -> Dirs {
        assert!(metadata < all.len(), "the metadata log lies somewhere");
        Dirs { all, metadata }
    }

    /// All, in their order.
    pub fn all(&self) -> &[Dir] {
        &self.all
    }

    /// Those that can be used, each with its place.
    pub fn usable(&self) -> impl Iterator<Item = (usize, &Dir)> {
        let all = self.all.iter().enumerate();
        all.filter(|(_, dir)| dir.loss().is_none())
    }

    /// Where the metadata log is.
    pub fn metadata(&self) -> &Path {
        &self.all[self.metadata].path
    }

    /// The place of the one that has the metadata log.
    pub fn metadata_place(&self) -> usize {
        self.metadata
    }

    /// The place of the directory with this id.
    pub fn place_of(&self, id: Uuid) -> Option<usize> {
        self.all.iter().position(|dir| dir.id == Some(id))
    }

    /// The place of the first that takes partitions and can be used.
    pub fn first_usable(&self) -> Option<usize> {
        let mut usable = self.usable();
        let (place, _) = usable.find(|(_, dir)| dir.takes_partitions)?;
        Some(place)
    }

    /// One that cannot be used and whose id is not known: what is found nowhere may lie there.
    pub fn unknown_loss(&self) -> Option<&Dir> {
        self.all
            .iter()
            .find(|dir| dir.id.is_none() && dir.loss().is_some())
    }

    /// Ids of those that take partitions and can be used.
    pub fn usable_ids(&self) -> Vec<Uuid> {
        let usable = self.usable().filter(|(_, dir)| dir.takes_partitions);
        usable.filter_map(|(_, dir)| dir.id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_directory_is_none_of_those_in_use_and_keeps_its_first_reason() {
        let dir = |name: &str, id| Dir::new(PathBuf::from(name), Uuid::from_u128(id), true);
        let dirs = Dirs::new(
            vec![
                dir("/a", 1),
                dir("/b", 2),
                Dir::lost("/c".into(), "gone".into()),
            ],
            1,
        );
        assert_eq!(dirs.metadata(), Path::new("/b"));
        assert_eq!(dirs.usable_ids(), [Uuid::from_u128(1), Uuid::from_u128(2)]);
        assert_eq!(dirs.place_of(Uuid::from_u128(2)), Some(1));
        assert!(dirs.all()[0].lose("EIO"));
        assert!(!dirs.all()[0].lose("later"));
        assert_eq!(dirs.all()[0].loss(), Some("EIO"));
        assert_eq!(dirs.first_usable(), Some(1));
        assert_eq!(
            dirs.unknown_loss().map(|dir| dir.path.as_path()),
            Some(Path::new("/c"))
        );
    }
}
