//! A consumer of one topic's partitions, each from a position of the caller's choice; no groups, nothing committed.
//!
//! While the caller works on what came, the next request is already on its way. Batches are given out as they came;
//! `crate::wire::records` reads them. What stands before the position in the first batch is the caller's to skip.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::cluster::{Backoff, Cluster, TopicInfo};
use super::error::ClientError;
use super::group::OffsetReset;
use super::offsets::{OffsetQuery, list_offsets};
use crate::types::TopicId;
use crate::wire::ErrorCode;
use crate::wire::Records;
use crate::wire::messages::fetch::{
    AbortedTransaction, FetchPartition, FetchRequest, FetchResponse, FetchTopic, PartitionData,
};
use crate::wire::records::BatchHeader;

/// How to fetch.
#[derive(Debug, Clone)]
pub struct ConsumerOptions {
    /// How long a broker may wait for `min_bytes`.
    pub max_wait_ms: i32,
    /// A broker answers when it has this much.
    pub min_bytes: i32,
    /// The most in one answer, and of one partition in it (a single batch may be larger).
    pub max_bytes: i32,
    /// Whether to stop before transactions that are still open and be told which ones were aborted.
    pub read_committed: bool,
}

impl Default for ConsumerOptions {
    fn default() -> ConsumerOptions {
        ConsumerOptions {
            max_wait_ms: 500,
            min_bytes: 1,
            max_bytes: 8 << 20,
            read_committed: false,
        }
    }
}

/// What one answer has of one partition.
#[derive(Debug, Clone)]
pub struct FetchedPartition {
    /// The partition's index.
    pub partition: i32,
    /// The position that was asked for; records before it in the first batch are not wanted.
    pub position: i64,
    /// Where the next request goes on: after the last whole batch.
    pub next_position: i64,
    /// The offset the next record of the partition will have.
    pub high_watermark: i64,
    /// Aborted transactions that overlap with `batches`, by first offset; only with `read_committed`.
    pub aborted: Vec<AbortedTransaction>,
    /// Record batches, the last of which may be cut off.
    pub batches: Bytes,
}

/// A consumer of one topic.
#[derive(Debug)]
pub struct Consumer {
    cluster: Cluster,
    topic: String,
    topic_id: TopicId,
    options: ConsumerOptions,
    positions: BTreeMap<i32, i64>,
    /// Positions asked for and not yet answered, by node.
    asked: BTreeMap<i32, BTreeMap<i32, i64>>,
}

impl Consumer {
    /// Reads partitions of `topic` from `positions` on.
    pub fn new(
        cluster: Cluster,
        topic: &TopicInfo,
        positions: BTreeMap<i32, i64>,
        options: ConsumerOptions,
    ) -> Consumer {
        let (topic, topic_id) = (topic.name.clone(), topic.id);
        Consumer {
            cluster,
            topic,
            topic_id,
            options,
            positions,
            asked: BTreeMap::new(),
        }
    }

    /// Stops reading a partition; what is already on its way is dropped.
    pub fn drop_partition(&mut self, partition: i32) {
        self.positions.remove(&partition);
    }

    /// Goes on reading a partition from another offset; what is on its way is dropped.
    pub fn seek(&mut self, partition: i32, offset: i64) {
        self.start_over();
        self.positions.insert(partition, offset);
    }

    /// After a [`Consumer::poll`] whose position is not in the log (any more, or yet): goes to the log's one end or other.
    ///
    /// # Errors
    /// `error` itself, if it is another one or nothing is to be done about it.
    pub fn reset_out_of_range(
        &mut self,
        error: ClientError,
        reset: OffsetReset,
    ) -> Result<(), ClientError> {
        let ClientError::OffsetOutOfRange {
            partition,
            earliest,
            latest,
            ..
        } = error
        else {
            return Err(error);
        };
        match reset {
            OffsetReset::Earliest => self.seek(partition, earliest),
            OffsetReset::Latest => self.seek(partition, latest),
            OffsetReset::None => return Err(error),
        }
        Ok(())
    }

    /// The next batches of any partition; empty after a wait without new records.
    ///
    /// # Errors
    /// [`ClientError::OffsetOutOfRange`] when a position is not in the log; what else does not pass.
    pub fn poll(&mut self) -> Result<Vec<FetchedPartition>, ClientError> {
        let mut pause = Backoff::start(self.cluster.patience());
        let mut fetched = Vec::new();
        while let Err(error) = self.round(&mut fetched) {
            self.start_over();
            // What came before the failure is given out first; the next round will meet the failure again.
            if !fetched.is_empty() {
                break;
            }
            pause.after(error)?;
        }
        Ok(fetched)
    }

    /// Asks every leader, unless it has been asked, takes their answers and asks for what follows.
    fn round(&mut self, fetched: &mut Vec<FetchedPartition>) -> Result<(), ClientError> {
        if self.asked.is_empty() {
            self.ask()?;
        }
        while let Some((node, asked)) = self.asked.pop_first() {
            let answer = self.cluster.node(node)?.receive::<FetchRequest>();
            let answer = answer.inspect_err(|_| self.cluster.disconnect(node))?;
            self.take_answer(answer, &asked, fetched)?;
        }
        self.ask()
    }

    /// Forgets what is on its way and who leads.
    fn start_over(&mut self) {
        for node in std::mem::take(&mut self.asked).into_keys() {
            self.cluster.disconnect(node);
        }
        self.cluster.forget(&self.topic);
    }

    /// One request to each leader of a partition that is read.
    fn ask(&mut self) -> Result<(), ClientError> {
        let mut by_leader: BTreeMap<i32, BTreeMap<i32, i64>> = BTreeMap::new();
        for (&partition, &position) in &self.positions {
            let leader = self.cluster.leader(&self.topic, partition)?;
            by_leader
                .entry(leader)
                .or_default()
                .insert(partition, position);
        }
        let id = self.cluster.topic(&self.topic, false)?.id;
        if id != self.topic_id {
            return Err(ClientError::TopicReplaced {
                topic: self.topic.clone(),
            });
        }
        for (leader, positions) in by_leader {
            let request = self.request(&positions);
            self.cluster.node(leader)?.send(&request)?;
            self.asked.insert(leader, positions);
        }
        Ok(())
    }

    fn request(&self, positions: &BTreeMap<i32, i64>) -> FetchRequest {
        let of_partition = |(&partition, &fetch_offset): (&i32, &i64)| FetchPartition {
            partition,
            fetch_offset,
            partition_max_bytes: self.options.max_bytes,
            ..FetchPartition::default()
        };
        FetchRequest {
            max_wait_ms: self.options.max_wait_ms,
            min_bytes: self.options.min_bytes,
            max_bytes: self.options.max_bytes,
            isolation_level: self.options.read_committed.into(),
            session_id: 0,
            // No fetch session: each request says everything.
            session_epoch: -1,
            topics: vec![FetchTopic {
                topic: self.topic.as_str().into(),
                topic_id: self.topic_id,
                partitions: positions.iter().map(of_partition).collect(),
            }],
            ..FetchRequest::default()
        }
    }

    fn take_answer(
        &mut self,
        answer: FetchResponse,
        asked: &BTreeMap<i32, i64>,
        fetched: &mut Vec<FetchedPartition>,
    ) -> Result<(), ClientError> {
        if answer.error_code != ErrorCode::NONE {
            return Err(self.refused(None, answer.error_code));
        }
        for data in answer
            .responses
            .into_iter()
            .flat_map(|topic| topic.partitions)
        {
            let partition = data.partition_index;
            let Some(&position) = asked.get(&partition) else {
                continue;
            };
            match data.error_code {
                ErrorCode::NONE => {}
                ErrorCode::OFFSET_OUT_OF_RANGE => {
                    return Err(self.out_of_range(partition, position)?);
                }
                code => return Err(self.refused(Some(partition), code)),
            }
            if !self.positions.contains_key(&partition) {
                continue;
            }
            if let Some(data) = fetched_partition(data, position) {
                self.positions.insert(partition, data.next_position);
                fetched.push(data);
            }
        }
        Ok(())
    }

    fn refused(&self, partition: Option<i32>, code: ErrorCode) -> ClientError {
        let what = partition.map_or(self.topic.clone(), |partition| {
            format!("{}-{partition}", self.topic)
        });
        ClientError::Broker {
            what,
            code,
            message: None,
        }
    }

    /// The error to report, with what the log does have.
    fn out_of_range(&mut self, partition: i32, offset: i64) -> Result<ClientError, ClientError> {
        // The other answers still on their way would come in front of those to ListOffsets.
        self.start_over();
        let topic = self.cluster.topic(&self.topic, false)?;
        let mut ask = |query| -> Result<i64, ClientError> {
            let offsets = list_offsets(&mut self.cluster, &topic, &[partition], query, false)?;
            Ok(offsets.get(&partition).copied().unwrap_or(-1))
        };
        let (earliest, latest) = (ask(OffsetQuery::Earliest)?, ask(OffsetQuery::Latest)?);
        Ok(ClientError::OffsetOutOfRange {
            topic: self.topic.clone(),
            partition,
            offset,
            earliest,
            latest,
        })
    }
}

/// `None` where there is no whole batch.
fn fetched_partition(data: PartitionData, position: i64) -> Option<FetchedPartition> {
    let Records::Bytes(batches) = data.records else {
        return None;
    };
    let next_position = position_after(&batches)?.max(position);
    let mut aborted = data.aborted_transactions.unwrap_or_default();
    aborted.sort_by_key(|transaction| transaction.first_offset);
    Some(FetchedPartition {
        partition: data.partition_index,
        position,
        next_position,
        high_watermark: data.high_watermark,
        aborted,
        batches,
    })
}

/// The offset after the last whole batch, found from the headers alone.
fn position_after(batches: &[u8]) -> Option<i64> {
    let mut rest = batches;
    let mut next = None;
    while let Ok(header) = BatchHeader::read(rest) {
        let size = header.total_size();
        if size > rest.len() {
            break;
        }
        next = Some(header.next_offset().0);
        rest = &rest[size..];
    }
    next
}

#[cfg(test)]
mod tests;
