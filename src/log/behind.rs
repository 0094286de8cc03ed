//! Syncing behind the writer's back what nobody asked to have synced, so that the recovery point follows.
//!
//! Whoever owns the log calls [`PartitionLog::sync_older`] from time to time: what was written before the last call is then
//! synced. It takes the sealer's place meanwhile, beside the writer, and gives way to a segment that is to be sealed and to
//! whoever closes the log. The pages are written out piece by piece first, with pauses in which the device is the others'; what is
//! left for the fdatasync is little.

use std::rc::Rc;
use std::time::Instant;

use super::error::LogError;
use super::partition_log::PartitionLog;
use super::segment::Segment;
use super::state::State;
use crate::types::Offset;

/// What is written out in one piece, in bytes.
const PIECE_BYTES: u64 = 8 << 20;
/// How many times as long as a piece took the device is left to others.
const PAUSES_PER_PIECE: u32 = 3;

impl PartitionLog {
    /// Syncs everything, if something that was there at the last call is still not synced; whether it did.
    ///
    /// # Errors
    /// The sync failed, and the log is read-only from now on.
    pub async fn sync_older(self: &Rc<Self>) -> Result<bool, LogError> {
        let Some((end, segments)) = self.state.borrow_mut().begin_behind() else {
            return Ok(false);
        };
        for segment in &segments {
            self.write_out(segment).await;
        }
        let synced = self.sync_up_to(end, &segments).await;
        self.seal_all().await;
        synced.map(|()| true)
    }

    /// What fails here, the sync tells.
    async fn write_out(&self, segment: &Segment) {
        let Some(file) = segment.open_reader() else {
            return;
        };
        let (mut position, end) = (segment.synced.get(), segment.written.get());
        while position < end && self.state.borrow().has_time() {
            let len = PIECE_BYTES.min(end - position);
            let began = Instant::now();
            if self.storage.write_out(&file, position, len).await.is_err() {
                return;
            }
            position += len;
            if position < end {
                glommio::timer::sleep(began.elapsed() * PAUSES_PER_PIECE).await;
            }
        }
    }
}

impl State {
    /// What is to be synced, if it is time; the sealer's place is then taken.
    fn begin_behind(&mut self) -> Option<(Offset, Vec<Rc<Segment>>)> {
        let seen = std::mem::replace(&mut self.seen_by_behind, self.written_end);
        let is_due = self.synced_end < seen.min(self.written_end);
        if !is_due || self.sealing || self.writer.ended || !self.has_time() {
            return None;
        }
        self.sealing = true;
        Some(self.to_sync())
    }

    /// Nobody waits for the sealer.
    fn has_time(&self) -> bool {
        self.takes_records() && self.to_seal.is_empty()
    }
}
