//! From what happened to what is found after the power came back.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};

use crate::io::changes;

use super::dice::Dice;
use super::disk::{Content, Names, Node};
use super::{Event, Inode};

/// What a disk writes as a whole.
const SECTOR: usize = 512;

/// What becomes of changes that no sync covers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// All are lost.
    Lost,
    /// All are there.
    Kept,
    /// Those before this moment are there, the later ones lost.
    Until(usize),
    /// Each is there or not; drawn from a seed.
    Drawn(u64),
}

/// A disk to be found: what lies below the directory that was watched.
#[derive(PartialEq, Eq, Hash, Debug)]
pub(crate) struct Image {
    dirs: Vec<PathBuf>,
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl Image {
    /// Writes it below `root`, an empty directory. If that one is recorded, all of it is certain there.
    pub(crate) fn write(&self, root: &Path) -> io::Result<()> {
        for dir in &self.dirs {
            changes::create_dir_all(&root.join(dir))?;
        }
        for (path, content) in &self.files {
            changes::write(&root.join(path), content)?;
        }
        super::syncing_all(root).done();
        Ok(())
    }

    /// The same number for the same disk.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }
}

/// All that happened, and since when each of it is certain.
#[derive(Debug)]
pub(crate) struct History {
    root: PathBuf,
    events: Vec<Event>,
    /// The moment from which a sync covers the event.
    certain_from: Vec<usize>,
}

impl History {
    pub(super) fn of(root: &Path, events: Vec<Event>) -> History {
        History {
            root: root.to_owned(),
            certain_from: certain_from(&events),
            events,
        }
    }

    /// How many moments there are.
    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    /// A moment and an outcome to try: in turn the two extremes, a clean cut, and five mixtures.
    pub(crate) fn draw(&self, turn: usize, dice: &mut Dice) -> (usize, Outcome) {
        let moment = dice.below(self.len() as u64 + 1) as usize;
        let outcome = match turn % 8 {
            0 => Outcome::Lost,
            1 => Outcome::Kept,
            2 => Outcome::Until(dice.below(moment as u64 + 1) as usize),
            _ => Outcome::Drawn(dice.below(u64::MAX)),
        };
        (moment, outcome)
    }

    /// What is found if the power goes at `moment`.
    pub(crate) fn image(&self, moment: usize, outcome: Outcome) -> Image {
        let seed = match outcome {
            Outcome::Drawn(seed) => seed,
            _ => 0,
        };
        let replay = Replay {
            history: self,
            moment,
            outcome,
            dice: Dice::new(seed),
        };
        replay.image()
    }
}

/// The events up to the power cut are played again.
struct Replay<'a> {
    history: &'a History,
    moment: usize,
    outcome: Outcome,
    dice: Dice,
}

impl Replay<'_> {
    fn image(mut self) -> Image {
        let mut names = Names::below(&self.history.root);
        let mut contents: HashMap<Inode, Content> = HashMap::new();
        for (at, event) in self.history.events[..self.moment].iter().enumerate() {
            match event {
                Event::Wrote {
                    inode,
                    position,
                    data,
                    ..
                } => {
                    let content = contents.entry(*inode).or_default();
                    self.write(at, content, *position, data);
                }
                Event::Cut(inode, len) if self.is_there(at) => {
                    contents.entry(*inode).or_default().cut(*len);
                }
                Event::Created(inode, path) if self.is_there(at) => {
                    names.put(path, Node::File(*inode));
                }
                Event::MadeDir(path) if self.is_there(at) => names.put(path, Node::Dir),
                Event::Renamed(from, to) if self.is_there(at) => names.rename(from, to),
                Event::Removed(path) if self.is_there(at) => names.remove(path),
                _ => {}
            }
        }
        self.found(&names, &mut contents)
    }

    fn found(&self, names: &Names, contents: &mut HashMap<Inode, Content>) -> Image {
        let mut image = Image {
            dirs: Vec::new(),
            files: Vec::new(),
        };
        for (path, node) in names.iter() {
            let below = path
                .strip_prefix(&self.history.root)
                .expect("a name below the root");
            match node {
                Node::Dir if below.as_os_str().is_empty() => {}
                Node::Dir => image.dirs.push(below.to_owned()),
                Node::File(inode) => {
                    let content = contents.remove(inode).unwrap_or_default();
                    image.files.push((below.to_owned(), content.into_bytes()));
                }
            }
        }
        image
    }

    fn is_there(&mut self, at: usize) -> bool {
        self.is_certain(at)
            || match self.outcome {
                Outcome::Lost => false,
                Outcome::Kept => true,
                Outcome::Until(moment) => at < moment,
                Outcome::Drawn(_) => self.dice.flip(),
            }
    }

    fn is_certain(&self, at: usize) -> bool {
        self.history.certain_from[at] <= self.moment
    }

    fn write(&mut self, at: usize, content: &mut Content, position: u64, data: &[u8]) {
        let drawn = matches!(self.outcome, Outcome::Drawn(_)) && !self.is_certain(at);
        if !drawn {
            if self.is_there(at) {
                content.write(position, data);
            }
            return;
        }
        match self.dice.below(4) {
            0 => {}
            1 => content.write(position, data),
            2 => content.extend_to(position as usize + data.len()),
            _ => self.write_torn(content, position, data),
        }
    }

    /// Some sectors come, others do not.
    fn write_torn(&mut self, content: &mut Content, position: u64, data: &[u8]) {
        let mut done = 0;
        while done < data.len() {
            let at = position as usize + done;
            let piece = (SECTOR - at % SECTOR).min(data.len() - done);
            if self.dice.flip() {
                content.write(at as u64, &data[done..done + piece]);
            }
            done += piece;
        }
    }
}

/// For each event the moment from which a sync makes it certain.
fn certain_from(events: &[Event]) -> Vec<usize> {
    let mut certain = vec![usize::MAX; events.len()];
    for (at, event) in events.iter().enumerate() {
        let (asked, covers): (usize, &dyn Fn(&Event) -> bool) = match event {
            Event::Synced(inode, asked) => (*asked, &|event| is_content_of(event, *inode)),
            Event::SyncedDir(dir, asked) => (*asked, &|event| is_name_in(event, dir)),
            Event::SyncedAll(asked) => (*asked, &|_| true),
            _ => continue,
        };
        for (before, event) in events[..asked].iter().enumerate() {
            let had_returned = match event {
                Event::Wrote { returned, .. } => returned.is_some_and(|at| at <= asked),
                _ => true,
            };
            if had_returned && covers(event) {
                certain[before] = certain[before].min(at + 1);
            }
        }
    }
    certain
}

fn is_content_of(event: &Event, file: Inode) -> bool {
    match event {
        Event::Wrote { inode, .. } | Event::Cut(inode, _) => *inode == file,
        _ => false,
    }
}

fn is_name_in(event: &Event, dir: &Path) -> bool {
    match event {
        Event::Created(_, path) | Event::MadeDir(path) | Event::Removed(path) => {
            path.parent() == Some(dir)
        }
        Event::Renamed(from, to) => from.parent() == Some(dir) && to.parent() == Some(dir),
        _ => false,
    }
}
