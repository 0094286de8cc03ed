//! All data directories of a broker: each with its owner, its identity and what the last run left in it.
//!
//! A directory that cannot be read or written is left out, loudly, and its partitions are offline; the one with the metadata log
//! must be there. What is wrong in a way that somebody decided (another broker's, another cluster's, a partition twice)
//! stops the start, and nothing has been changed then.

use super::data_dir::{self, DataDir, DataDirError, LastRun};
use crate::config::BrokerConfig;
use crate::log::offset_checkpoint::OffsetCheckpoint;
use crate::log::{WrittenMarks, parse_partition_dir};
use crate::metadata::MetaProperties;
use crate::shard::{Compaction, Dir, Dirs, Opening, Startup};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use uuid::Uuid;

/// A directory of the configuration.
struct Place {
    path: PathBuf,
    takes_partitions: bool,
    /// Owned from here on, or why it cannot be used.
    owned: Result<DataDir, String>,
}

/// All of them, owned until the value is dropped.
pub struct DataDirs {
    places: Vec<Place>,
    metadata: usize,
    /// Who this node is, by the directory of the metadata log.
    pub identity: MetaProperties,
}

impl DataDirs {
    /// Takes `log.dirs` and `metadata.log.dir`: makes what is not there, locks them, and sees that they belong together.
    ///
    /// # Errors
    /// See [`DataDirError`].
    pub fn open(config: &BrokerConfig) -> Result<DataDirs, DataDirError> {
        let mut places = Vec::with_capacity(config.log_dirs.len());
        for path in &config.log_dirs {
            places.push(Place::open(path, true, config)?);
        }
        let is_metadata = |place: &Place| place.path == config.metadata_log_dir;
        let metadata = match places.iter().position(is_metadata) {
            Some(metadata) => metadata,
            None => {
                places.push(Place::open(&config.metadata_log_dir, false, config)?);
                places.len() - 1
            }
        };
        if let Err(reason) = &places[metadata].owned {
            return Err(DataDirError::NoMetadata {
                path: places[metadata].path.clone(),
                reason: reason.clone(),
            });
        }
        let identity = agree(&mut places, metadata)?;
        Ok(DataDirs {
            places,
            metadata,
            identity,
        })
    }

    /// Where the metadata log is.
    pub fn metadata(&self) -> &DataDir {
        match &self.places[self.metadata].owned {
            Ok(dir) => dir,
            Err(reason) => unreachable!("a broker without its metadata: {reason}"),
        }
    }

    /// Those that can be used.
    pub fn usable(&self) -> impl Iterator<Item = &DataDir> {
        self.owned().map(|(_, dir)| dir)
    }

    /// Ids of all directories; `None` if one that cannot be used keeps its own to itself.
    pub fn ids(&self) -> Option<Vec<Uuid>> {
        let ids = self.places.iter().map(|place| {
            let owned = place.owned.as_ref().ok()?;
            Some(owned.identity.directory_id)
        });
        ids.collect()
    }

    /// As the cores see them.
    pub fn dirs(&self) -> Dirs {
        let all = self.places.iter().map(|place| match &place.owned {
            Ok(dir) => Dir::new(
                place.path.clone(),
                dir.identity.directory_id,
                place.takes_partitions,
            ),
            Err(reason) => Dir::lost(place.path.clone(), reason.clone()),
        });
        Dirs::new(all.collect(), self.metadata)
    }

    /// Where each partition's log is, by the name of its directory.
    ///
    /// # Errors
    /// One is in two directories.
    pub fn find_logs(&self) -> Result<HashMap<String, usize>, DataDirError> {
        let mut found: HashMap<String, usize> = HashMap::new();
        for (place, dir) in self.owned() {
            for name in partition_dirs(dir.path())? {
                if let Some(other) = found.insert(name.clone(), place) {
                    return Err(DataDirError::Twice {
                        name,
                        first: self.places[other].path.clone(),
                        second: dir.path().to_owned(),
                    });
                }
            }
        }
        Ok(found)
    }

    /// Takes the directories over; from here on a crash is a crash. Deleted partitions' files go.
    ///
    /// # Errors
    /// [`DataDir::take_over`]'s.
    pub fn take_over(
        &self,
        found: HashMap<String, usize>,
        opening: Opening,
    ) -> Result<Startup, DataDirError> {
        let mut clean = vec![false; self.places.len()];
        let (mut recovery_points, mut log_starts) = (HashMap::new(), HashMap::new());
        let mut written_marks = WrittenMarks::new();
        let mut compacted = vec![OffsetCheckpoint::new(); self.places.len()];
        for (place, dir) in self.owned() {
            let last_run: LastRun = dir.take_over()?;
            dir.remove_deleted()?;
            clean[place] = last_run.clean;
            // A partition that was moved while no broker ran may still stand in the checkpoint of where it was.
            let is_here = |(topic, partition): &(String, i32)| {
                let name = crate::log::partition_dir_name(topic, *partition);
                found.get(&name).is_none_or(|known| *known == place)
            };
            let here =
                |offsets: OffsetCheckpoint| offsets.into_iter().filter(|(key, _)| is_here(key));
            recovery_points.extend(here(last_run.recovery_points));
            log_starts.extend(here(last_run.log_starts));
            let written = last_run.written.into_iter();
            written_marks.extend(written.filter(|(key, _)| is_here(key)));
            compacted[place] = here(last_run.compacted).collect();
        }
        let paths = self.places.iter().map(|place| place.path.as_path());
        Ok(Startup {
            clean: clean.into(),
            found: Arc::new(found),
            recovery_points: Arc::new(recovery_points),
            log_starts: Arc::new(log_starts),
            written_marks: Arc::new(written_marks),
            written: Arc::default(),
            opening: Arc::new(opening),
            compaction: Arc::new(Compaction::new(paths.zip(compacted))),
        })
    }

    /// Writes the mark of a clean stop into those that were left in order.
    ///
    /// # Errors
    /// A mark cannot be written; the others are.
    pub fn mark_clean(&self, clean: &[bool], broker_epoch: i64) -> Result<(), DataDirError> {
        let clean = self.owned().filter(|(place, _)| clean[*place]);
        let marked = clean.map(|(_, dir)| data_dir::mark_clean(dir.path(), broker_epoch));
        marked.fold(Ok(()), Result::and)
    }

    fn owned(&self) -> impl Iterator<Item = (usize, &DataDir)> {
        let owned = self.places.iter().map(|place| place.owned.as_ref().ok());
        owned
            .enumerate()
            .filter_map(|(place, dir)| Some((place, dir?)))
    }
}

impl Place {
    fn open(
        path: &Path,
        takes_partitions: bool,
        config: &BrokerConfig,
    ) -> Result<Place, DataDirError> {
        let owned = match DataDir::open(path, config.node_id) {
            Ok(dir) => Ok(dir),
            Err(error @ DataDirError::Io { .. }) => {
                log::error!("{error}: the partitions in it are offline");
                Err(error.to_string())
            }
            Err(error) => return Err(error),
        };
        Ok(Place {
            path: path.to_owned(),
            takes_partitions,
            owned,
        })
    }
}

/// New directories become this node's; those that have an owner must all have the same.
fn agree(places: &mut [Place], metadata: usize) -> Result<MetaProperties, DataDirError> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.swap(0, metadata);
    let first = |places: &[Place]| {
        let owners = order
            .iter()
            .filter_map(|&place| places[place].owned.as_ref().ok());
        let mut owners: Vec<_> = owners.collect();
        owners.sort_by_key(|dir| !dir.had_identity());
        owners
            .first()
            .map(|dir| (dir.path().to_owned(), dir.identity.clone()))
    };
    let Some((path, owner)) = first(places) else {
        unreachable!("the directory of the metadata log can be used");
    };
    let mut ids = HashMap::new();
    for dir in places
        .iter_mut()
        .filter_map(|place| place.owned.as_mut().ok())
    {
        if !dir.belongs_to(&owner) {
            return Err(DataDirError::OfTwoNodes {
                first: path,
                second: dir.path().to_owned(),
            });
        }
        if let Some(other) = ids.insert(dir.identity.directory_id, dir.path().to_owned()) {
            return Err(DataDirError::SameId {
                first: other,
                second: dir.path().to_owned(),
            });
        }
    }
    let metadata = places[metadata]
        .owned
        .as_ref()
        .map(|dir| dir.identity.clone());
    Ok(metadata.unwrap_or(owner))
}

/// Names of the directories in `dir` that hold a partition's log by their name.
fn partition_dirs(dir: &Path) -> Result<Vec<String>, DataDirError> {
    let failed = |source| DataDirError::Io {
        what: "list",
        path: dir.to_owned(),
        source,
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let Ok(name) = entry.map_err(failed)?.file_name().into_string() else {
            continue;
        };
        if parse_partition_dir(&name).is_some() {
            names.push(name);
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(dirs: &[&Path]) -> BrokerConfig {
        let dirs: Vec<_> = dirs.iter().map(|dir| dir.display().to_string()).collect();
        let settings = [("log.dirs".to_owned(), dirs.join(","))];
        crate::config::load(None, &settings, true).unwrap().config
    }

    #[test]
    fn new_directories_join_the_node_of_the_others() {
        let root = tempfile::tempdir().unwrap();
        let (a, b) = (root.path().join("a"), root.path().join("b"));
        let alone = DataDirs::open(&config(&[&a])).unwrap();
        alone
            .take_over(HashMap::new(), Opening::new(1, vec![]))
            .unwrap();
        let cluster = alone.identity.cluster_id.clone();
        drop(alone);
        let both = DataDirs::open(&config(&[&b, &a])).unwrap();
        assert_eq!(both.identity.cluster_id, cluster);
        let ids = both.ids().unwrap();
        assert_ne!(ids[0], ids[1]);
        both.take_over(HashMap::new(), Opening::new(1, vec![]))
            .unwrap();
        drop(both);
        assert_eq!(
            DataDirs::open(&config(&[&a, &b])).unwrap().ids().unwrap(),
            [ids[1], ids[0]]
        );
    }

    #[test]
    fn directories_of_two_clusters_are_refused_and_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let (a, b) = (root.path().join("a"), root.path().join("b"));
        for dir in [&a, &b] {
            let one = DataDirs::open(&config(&[dir])).unwrap();
            one.take_over(HashMap::new(), Opening::new(1, vec![]))
                .unwrap();
        }
        let before = fs::read(b.join("meta.properties")).unwrap();
        assert!(matches!(
            DataDirs::open(&config(&[&a, &b])),
            Err(DataDirError::OfTwoNodes { .. })
        ));
        assert_eq!(fs::read(b.join("meta.properties")).unwrap(), before);
    }

    #[test]
    fn a_partition_in_two_directories_is_named() {
        let root = tempfile::tempdir().unwrap();
        let (a, b) = (root.path().join("a"), root.path().join("b"));
        let both = DataDirs::open(&config(&[&a, &b])).unwrap();
        fs::create_dir(a.join("t-0")).unwrap();
        assert_eq!(both.find_logs().unwrap()["t-0"], 0);
        fs::create_dir(b.join("t-0")).unwrap();
        let error = both.find_logs().unwrap_err();
        assert!(error.to_string().contains("t-0"), "{error}");
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_left_out_and_the_metadatas_is_needed() {
        let root = tempfile::tempdir().unwrap();
        let (a, file) = (root.path().join("a"), root.path().join("file"));
        fs::write(&file, "no directory").unwrap();
        let dirs = DataDirs::open(&config(&[&a, &file])).unwrap();
        assert!(dirs.ids().is_none());
        assert!(dirs.dirs().all()[1].loss().is_some());
        drop(dirs);
        assert!(matches!(
            DataDirs::open(&config(&[&file, &a])),
            Err(DataDirError::NoMetadata { .. })
        ));
    }
}
