//! A partition on its owner: the log, and the leadership it is written under.

use super::message::PartitionFault;
use crate::log::PartitionLog;
use crate::types::LeaderEpoch;
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

/// A partition that this core owns.
#[derive(Debug)]
pub struct Partition {
    /// Topic name, for files and log lines.
    pub topic: Arc<str>,
    /// Its index in the topic.
    pub index: i32,
    /// The place of its data directory.
    pub dir: usize,
    /// Its records.
    pub log: Rc<PartitionLog>,
    /// Stamped on every batch.
    pub leader_epoch: Cell<LeaderEpoch>,
    /// `max.message.bytes` of the topic.
    pub max_message_bytes: Cell<u32>,
}

impl Partition {
    /// Compares the client's idea of the leader epoch, -1 for none, with the partition's.
    ///
    /// # Errors
    /// Which of the two is behind.
    pub fn check_epoch(&self, client: i32) -> Result<(), PartitionFault> {
        let own = self.leader_epoch.get().0;
        match client {
            -1 => Ok(()),
            client if client < own => Err(PartitionFault::FencedEpoch),
            client if client > own => Err(PartitionFault::UnknownEpoch),
            _ => Ok(()),
        }
    }
}
