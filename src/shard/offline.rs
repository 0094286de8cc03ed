//! Partitions of this core whose log could not be opened or made.
//!
//! Where only room was missing it is tried again every [`limits::OFFLINE_RETRY`], and the partition is served as soon as there is
//! some; until then clients hear KAFKA_STORAGE_ERROR and try again too, and the metadata goes on naming its leader. Whatever else is
//! wrong stays so until the next start.

use super::install::remove_after;
use super::{Shard, Startup};
use crate::limits;
use crate::log::{partition_dir_name, set_aside_deleted};
use crate::metadata::Topic;
use crate::types::PartitionKey;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

/// What keeps a partition offline.
#[derive(Clone)]
pub(super) enum Cause {
    /// It must be put right before the next start.
    Failure,
    /// There was no room, in this place. With what the last run left, if it was to be opened at the start.
    NoRoom(usize, Option<Startup>),
}

/// The partitions that are offline.
#[derive(Default)]
pub(super) struct Offline {
    causes: RefCell<HashMap<PartitionKey, Cause>>,
}

impl Offline {
    pub fn contains(&self, key: &PartitionKey) -> bool {
        self.causes.borrow().contains_key(key)
    }

    pub fn insert(&self, key: PartitionKey, cause: Cause) {
        self.causes.borrow_mut().insert(key, cause);
    }

    pub fn remove(&self, key: &PartitionKey) -> Option<Cause> {
        self.causes.borrow_mut().remove(key)
    }

    /// Those that wait for room.
    fn waiting(&self) -> Vec<(PartitionKey, usize, Option<Startup>)> {
        let causes = self.causes.borrow();
        let waiting = causes.iter().filter_map(|(key, cause)| match cause {
            Cause::NoRoom(place, startup) => Some((*key, *place, startup.clone())),
            Cause::Failure => None,
        });
        waiting.collect()
    }
}

impl Shard {
    /// Opens partitions that wait for room when there is some, for as long as the core runs.
    pub async fn open_waiting_for_ever(self: Rc<Self>) {
        loop {
            glommio::timer::sleep(limits::OFFLINE_RETRY).await;
            for (key, place, startup) in self.offline.waiting() {
                self.open_waiting(key, place, startup).await;
            }
        }
    }

    /// A partition that waits for room is deleted: what there is of it goes.
    pub(super) async fn put_away_waiting(&self, topic: &Topic, key: PartitionKey) {
        let Some(Cause::NoRoom(place, _)) = self.offline.remove(&key) else {
            return;
        };
        let name = partition_dir_name(&topic.name, key.partition);
        match set_aside_deleted(&self.dirs.all()[place].path.join(&name)).await {
            Ok(aside) => remove_after(name, aside, Duration::ZERO),
            Err(error) => log::error!("{name}: its directory cannot be put away: {error}"),
        }
    }

    async fn open_waiting(
        self: &Rc<Self>,
        key: PartitionKey,
        place: usize,
        startup: Option<Startup>,
    ) {
        // No image is installed meanwhile: a topic is not deleted, nor are its settings changed.
        let _turn = self.installing.acquire_permit(1).await;
        if !self.offline.contains(&key) || self.is_draining() {
            return;
        }
        let Some(wanted) = self.wanted(key) else {
            return;
        };
        let name = wanted.name();
        match self.open_one(&wanted, place, startup.as_ref()).await {
            Ok((log, remark)) => {
                remark.iter().for_each(|remark| log::warn!("{remark}"));
                log::info!("{name}: there is room: it is served from now on");
                self.offline.remove(&key);
                // What the last run left in the page cache.
                log.sync_recovered();
                self.enter(wanted, place, log);
            }
            Err(error) if error.is_no_space() => {}
            Err(error) => {
                log::error!("{name}: it stays offline until the next start: {error}");
                self.offline.insert(key, Cause::Failure);
            }
        }
    }
}
