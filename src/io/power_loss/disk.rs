//! A disk as it is found: names, and the bytes behind them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Inode;

/// What a name stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Node {
    Dir,
    File(Inode),
}

/// The names below a directory. Each is there only if all above it are.
#[derive(Debug)]
pub(super) struct Names(BTreeMap<PathBuf, Node>);

impl Names {
    pub(super) fn below(root: &Path) -> Names {
        Names([(root.to_owned(), Node::Dir)].into())
    }

    /// Gives `node` a name, over what is there; not if its directory is not there.
    pub(super) fn put(&mut self, path: &Path, node: Node) {
        let parent = path.parent().and_then(|parent| self.0.get(parent));
        if parent == Some(&Node::Dir) {
            if node != Node::Dir || self.0.get(path) != Some(&Node::Dir) {
                self.remove(path);
            }
            self.0.insert(path.to_owned(), node);
        }
    }

    pub(super) fn remove(&mut self, path: &Path) {
        self.0.retain(|name, _| !name.starts_with(path));
    }

    /// Moves a name with all below it; nothing, if it is not there.
    pub(super) fn rename(&mut self, from: &Path, to: &Path) {
        if !self.0.contains_key(from) {
            return;
        }
        self.remove(to);
        let moved: Vec<_> = self
            .0
            .iter()
            .filter(|(name, _)| name.starts_with(from))
            .map(|(name, node)| (name.clone(), *node))
            .collect();
        self.remove(from);
        for (name, node) in moved {
            let below = name.strip_prefix(from).expect("a name below");
            let path = match below.as_os_str().is_empty() {
                true => to.to_owned(),
                false => to.join(below),
            };
            self.0.insert(path, node);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&PathBuf, &Node)> {
        self.0.iter()
    }
}

/// The bytes of a file.
#[derive(Clone, Default, Debug)]
pub(super) struct Content(Vec<u8>);

impl Content {
    pub(super) fn write(&mut self, position: u64, data: &[u8]) {
        let (start, end) = (position as usize, position as usize + data.len());
        self.extend_to(end);
        self.0[start..end].copy_from_slice(data);
    }

    pub(super) fn cut(&mut self, len: u64) {
        self.0.resize(len as usize, 0);
    }

    /// The size has grown, the bytes have not come.
    pub(super) fn extend_to(&mut self, len: usize) {
        if self.0.len() < len {
            self.0.resize(len, 0);
        }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}
