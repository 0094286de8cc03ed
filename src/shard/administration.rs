//! What administration asks of single partitions, at their owners: sizes, producers, the removal of records.

use super::Shard;
use super::dirs::{Dir, Dirs};
use super::message::{Answer, Call, PartitionFault, Wanted};
use crate::io::blocking;
use crate::io::durable_write::durable_write;
use crate::io::volume::{Volume, volume_of};
use crate::log::offset_checkpoint::{self, OffsetCheckpoint};
use crate::log::{LogStartError, ProducerEntry};
use crate::types::{Offset, PartitionKey, ShardId};
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

/// The core that writes checkpoints.
const LEADER: ShardId = ShardId(0);

/// A question to a partition.
#[derive(Clone, Copy, Debug)]
pub struct PartitionQuestion {
    /// The partition.
    pub key: PartitionKey,
    /// What it is asked.
    pub question: Question,
}

/// What a partition can be asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Question {
    /// How many bytes its segments have.
    Size,
    /// Which producers it remembers.
    Producers,
    /// Whether this producer has a transaction open in this epoch: what it appends is then verified already.
    HasOpenTransaction(i64, i16),
    /// To forget the records before this offset; -1 is the high watermark.
    DeleteBefore(i64),
    /// Where segments begin, by when they were last written to; the first if it is the earliest that is wanted. How many at most.
    SegmentStarts(Wanted, usize),
}

/// What a partition replies.
#[derive(Clone, Debug)]
pub enum Reply {
    /// To [`Question::Size`].
    Size {
        /// Bytes of the log.
        bytes: u64,
        /// The place of its data directory.
        dir: usize,
    },
    /// To [`Question::Producers`], by id.
    Producers(Vec<ProducerDescription>),
    /// To [`Question::HasOpenTransaction`].
    HasOpenTransaction(bool),
    /// To [`Question::DeleteBefore`]: the log start offset.
    LowWatermark(Offset),
    /// To [`Question::SegmentStarts`], the largest first.
    Offsets(Vec<Offset>),
}

/// What is told of an idempotent producer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProducerDescription {
    /// Its id.
    pub id: i64,
    /// Its epoch.
    pub epoch: i16,
    /// The last sequence number, -1 for none.
    pub last_sequence: i32,
    /// Timestamp of its last batch in milliseconds, -1 for none.
    pub last_timestamp: i64,
    /// The newest transaction coordinator's epoch, -1 for none.
    pub coordinator_epoch: i32,
    /// First offset of its open transaction, -1 without one.
    pub transaction_first_offset: i64,
}

/// A reply, or why there is none.
pub type PartitionReply = Result<Reply, PartitionFault>;

impl Shard {
    /// Asks partitions; replies are in the order of the questions. Records are deleted for good when this returns.
    pub async fn ask_partitions(
        self: &Rc<Self>,
        questions: Vec<PartitionQuestion>,
    ) -> Vec<PartitionReply> {
        let mut replies = vec![Err(PartitionFault::NotHere); questions.len()];
        for (core, indexes) in self.by_owner(questions.iter().map(|question| &question.key)) {
            let asked: Vec<_> = indexes.iter().map(|&index| questions[index]).collect();
            let answers = if core == self.me() {
                self.reply_all(asked).await
            } else {
                match self.mesh.call(core, Call::Ask(asked)).await {
                    Answer::Replies(answers) => answers,
                    other => unreachable!("questions to partitions were answered with {other:?}"),
                }
            };
            for (index, answer) in indexes.into_iter().zip(answers) {
                replies[index] = answer;
            }
        }
        let moved = |reply: &PartitionReply| matches!(reply, Ok(Reply::LowWatermark(_)));
        if replies.iter().any(moved)
            && let Err(reason) = self.keep_log_starts().await
        {
            // Nobody is told that records are gone for good.
            for reply in replies.iter_mut().filter(|reply| moved(reply)) {
                *reply = Err(PartitionFault::NotKept(reason.clone()));
            }
        }
        replies
    }

    /// The owner's side of [`Shard::ask_partitions`].
    pub(super) async fn reply_all(&self, questions: Vec<PartitionQuestion>) -> Vec<PartitionReply> {
        let mut replies = Vec::with_capacity(questions.len());
        for question in &questions {
            replies.push(self.reply(question).await);
        }
        replies
    }

    async fn reply(&self, asked: &PartitionQuestion) -> PartitionReply {
        let partition = self.partition(&asked.key)?;
        let log = &partition.log;
        match asked.question {
            Question::Size => Ok(Reply::Size {
                bytes: log.size_bytes(),
                dir: partition.dir,
            }),
            Question::Producers => {
                let describe = |(id, entry): (i64, &ProducerEntry)| ProducerDescription {
                    id,
                    epoch: entry.epoch,
                    last_sequence: entry.last_sequence(),
                    last_timestamp: entry.last_timestamp,
                    coordinator_epoch: entry.coordinator_epoch,
                    transaction_first_offset: entry.transaction_first_offset,
                };
                Ok(Reply::Producers(log.producers(describe)))
            }
            Question::HasOpenTransaction(id, epoch) => Ok(Reply::HasOpenTransaction(
                log.has_open_transaction(id, epoch),
            )),
            Question::SegmentStarts(wanted, most) => {
                let starts = match wanted {
                    Wanted::Earliest => Ok([log.log_start_offset()][..most.min(1)].to_vec()),
                    Wanted::AtOrAfter(time) => log.segment_starts_before(time, most).await,
                    Wanted::Latest | Wanted::MaxTimestamp => {
                        log.segment_starts_before(i64::MAX, most).await
                    }
                };
                starts.map(Reply::Offsets).map_err(PartitionFault::Failed)
            }
            Question::DeleteBefore(offset) => {
                let config = self
                    .topic_config(&asked.key.topic_id)
                    .ok_or(PartitionFault::NotHere)?;
                if !config.delete {
                    return Err(PartitionFault::NeverDeletes);
                }
                let start = match offset {
                    -1 => log.high_watermark(),
                    0.. => Offset(offset),
                    _ => return Err(PartitionFault::OutOfRange(log.log_start_offset())),
                };
                match log.advance_log_start(start).await {
                    Ok(start) => Ok(Reply::LowWatermark(start)),
                    Err(LogStartError::OutOfRange { .. }) => {
                        Err(PartitionFault::OutOfRange(log.log_start_offset()))
                    }
                    Err(LogStartError::Log(error)) => Err(PartitionFault::Failed(error)),
                }
            }
        }
    }

    /// Has the log start offsets written down.
    pub(super) async fn keep_log_starts(self: &Rc<Self>) -> Result<(), String> {
        if self.me() == LEADER {
            return self.write_log_starts().await;
        }
        match self.mesh.call(LEADER, Call::KeepLogStarts).await {
            Answer::Kept(kept) => kept,
            other => unreachable!("keeping log start offsets was answered with {other:?}"),
        }
    }

    /// Writes `log-start-offset-checkpoint`, durably.
    pub(super) async fn write_log_starts(self: &Rc<Self>) -> Result<(), String> {
        let _turn = self.checkpointing.acquire_permit(1).await;
        let points = self.checkpoint_everywhere().await;
        let mut starts = vec![OffsetCheckpoint::new(); self.dirs.all().len()];
        for point in points {
            if point.log_start > Offset::ZERO {
                starts[point.dir].insert((point.topic, point.partition), point.log_start);
            }
        }
        let file = |(place, dir): (usize, &Dir)| {
            let path = dir.path.join(offset_checkpoint::LOG_STARTS);
            (path, std::mem::take(&mut starts[place]))
        };
        let files: Vec<_> = self.dirs.usable().map(file).collect();
        blocking(move || write_all(&files)).await
    }

    /// Where the partitions lie.
    pub fn dirs(&self) -> &Arc<Dirs> {
        &self.dirs
    }

    /// The volume of a data directory.
    ///
    /// # Errors
    /// The file system does not tell.
    pub async fn volume(&self, dir: PathBuf) -> io::Result<Volume> {
        blocking(move || volume_of(&dir)).await
    }
}

fn write_all(files: &[(PathBuf, OffsetCheckpoint)]) -> Result<(), String> {
    for (path, offsets) in files {
        let text = offset_checkpoint::render(offsets);
        durable_write(path, text.as_bytes()).map_err(|error| {
            log::error!("{}: {error}", path.display());
            error.to_string()
        })?;
    }
    Ok(())
}
