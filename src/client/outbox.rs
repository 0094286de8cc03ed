//! Batches on their way to the leaders of their partitions: several requests on each connection, answers in order, and
//! what failed sent again in the order in which it was handed in.
//!
//! It must never look into a batch. A batch that failed may have been written all the same (the answer was lost): only
//! an idempotent producer's batches carry what the broker needs to drop the second copy.

use std::collections::{BTreeMap, VecDeque};
use std::mem;

use bytes::Bytes;

use super::cluster::{Backoff, Cluster};
use super::error::ClientError;
use crate::types::TopicId;
use crate::wire::ErrorCode;
use crate::wire::Records;
use crate::wire::messages::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, ProduceResponse,
    TopicProduceData,
};

/// Requests on their way on one connection; Kafka keeps the order of idempotent batches for as many.
const IN_FLIGHT_MAX: usize = 5;

/// A finished batch for one partition.
#[derive(Debug, Clone)]
pub struct ClosedBatch {
    /// The partition's index.
    pub partition: i32,
    /// The batch, as it goes over the wire.
    pub bytes: Bytes,
    /// How many records are in it.
    pub records: u32,
}

/// One topic's batches on their way.
#[derive(Debug)]
pub struct Outbox {
    topic: String,
    topic_id: TopicId,
    acks: i16,
    timeout_ms: i32,
    /// Requests without an answer yet, by node, oldest first.
    in_flight: BTreeMap<i32, VecDeque<Vec<ClosedBatch>>>,
    /// Failed in a way that may pass, oldest first.
    again: Vec<ClosedBatch>,
    acknowledged_records: u64,
}

impl Outbox {
    /// An empty one. `acks` is 0, 1 or -1; `timeout_ms` is how long the leader may wait for its replicas.
    pub fn new(topic: &str, topic_id: TopicId, acks: i16, timeout_ms: i32) -> Outbox {
        Outbox {
            topic: topic.to_owned(),
            topic_id,
            acks,
            timeout_ms,
            in_flight: BTreeMap::new(),
            again: Vec::new(),
            acknowledged_records: 0,
        }
    }

    /// How many records the cluster has acknowledged; with acks=0, how many were handed to the socket.
    pub fn acknowledged_records(&self) -> u64 {
        self.acknowledged_records
    }

    /// Sends batches, one request for each leader. Waits only where a connection has enough on its way.
    ///
    /// # Errors
    /// A failure that no further try can mend; batches handed in earlier may be what failed.
    pub fn send(
        &mut self,
        cluster: &mut Cluster,
        batches: Vec<ClosedBatch>,
    ) -> Result<(), ClientError> {
        let mut by_leader: BTreeMap<i32, Vec<ClosedBatch>> = BTreeMap::new();
        for batch in batches {
            let topic = self.topic.clone();
            let partition = batch.partition;
            let leader = cluster.patiently(|cluster| cluster.leader(&topic, partition))?;
            by_leader.entry(leader).or_default().push(batch);
        }
        for (leader, batches) in by_leader {
            while self
                .in_flight
                .get(&leader)
                .is_some_and(|sent| sent.len() >= IN_FLIGHT_MAX)
            {
                self.receive_one(cluster, leader)?;
            }
            self.retry(cluster)?;
            self.send_to(cluster, leader, batches)?;
        }
        self.retry(cluster)
    }

    /// Waits until everything that was sent is acknowledged.
    ///
    /// # Errors
    /// As [`Outbox::send`].
    pub fn finish(&mut self, cluster: &mut Cluster) -> Result<(), ClientError> {
        self.drain(cluster)?;
        self.retry(cluster)
    }

    fn send_to(
        &mut self,
        cluster: &mut Cluster,
        leader: i32,
        batches: Vec<ClosedBatch>,
    ) -> Result<(), ClientError> {
        let request = self.request(&batches);
        let unanswered = self.acks == 0;
        let sent = cluster
            .node(leader)
            .and_then(|connection| match unanswered {
                true => connection.send_unanswered(&request),
                false => connection.send(&request),
            });
        match sent {
            Ok(()) if unanswered => self.acknowledge(&batches),
            Ok(()) => self.in_flight.entry(leader).or_default().push_back(batches),
            Err(error) => {
                self.lost_connection(cluster, leader, error)?;
                self.again.extend(batches);
            }
        }
        Ok(())
    }

    /// Takes the oldest answer of a node that has something on its way.
    fn receive_one(&mut self, cluster: &mut Cluster, leader: i32) -> Result<(), ClientError> {
        match cluster
            .node(leader)
            .and_then(|connection| connection.receive::<ProduceRequest>())
        {
            Ok(answer) => {
                let sent = self
                    .in_flight
                    .get_mut(&leader)
                    .and_then(VecDeque::pop_front)
                    .unwrap_or_default();
                self.judge(sent, &answer)
            }
            Err(error) => self.lost_connection(cluster, leader, error),
        }
    }

    /// Everything on its way there goes again, unless the error is one that stays.
    fn lost_connection(
        &mut self,
        cluster: &mut Cluster,
        leader: i32,
        error: ClientError,
    ) -> Result<(), ClientError> {
        cluster.disconnect(leader);
        self.again.extend(
            self.in_flight
                .remove(&leader)
                .into_iter()
                .flatten()
                .flatten(),
        );
        if error.is_retriable() {
            Ok(())
        } else {
            Err(error)
        }
    }

    fn drain(&mut self, cluster: &mut Cluster) -> Result<(), ClientError> {
        while let Some(leader) = self
            .in_flight
            .iter()
            .find(|(_, sent)| !sent.is_empty())
            .map(|(&node, _)| node)
        {
            self.receive_one(cluster, leader)?;
        }
        Ok(())
    }

    /// Sends what failed again, one batch at a time and in order, after everything else on its way has its answer.
    fn retry(&mut self, cluster: &mut Cluster) -> Result<(), ClientError> {
        if self.again.is_empty() {
            return Ok(());
        }
        self.drain(cluster)?;
        for batch in mem::take(&mut self.again) {
            let mut pause = Backoff::start(cluster.patience());
            while let Err(error) = self.send_alone(cluster, &batch) {
                if error.breaks_connection() {
                    cluster.disconnect_all();
                }
                cluster.forget(&self.topic);
                pause.after(error)?;
            }
        }
        Ok(())
    }

    fn send_alone(
        &mut self,
        cluster: &mut Cluster,
        batch: &ClosedBatch,
    ) -> Result<(), ClientError> {
        let request = self.request(std::slice::from_ref(batch));
        let leader = cluster.leader(&self.topic, batch.partition)?;
        let connection = cluster.node(leader)?;
        if self.acks == 0 {
            connection.send_unanswered(&request)?;
        } else {
            let answer = connection.call(&request)?;
            let result = find_result(&answer, batch.partition);
            self.outcome(batch.partition, result)?;
        }
        self.acknowledge(std::slice::from_ref(batch));
        Ok(())
    }

    /// Sorts the batches of one answered request: acknowledged, to be sent again, or refused for good.
    fn judge(
        &mut self,
        sent: Vec<ClosedBatch>,
        answer: &ProduceResponse,
    ) -> Result<(), ClientError> {
        for batch in sent {
            match self.outcome(batch.partition, find_result(answer, batch.partition)) {
                Ok(()) => self.acknowledge(std::slice::from_ref(&batch)),
                Err(error) if error.is_retriable() || self.follows_a_failure(&batch, &error) => {
                    self.again.push(batch)
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// A batch whose predecessor failed is out of order only until that has gone again.
    fn follows_a_failure(&self, batch: &ClosedBatch, error: &ClientError) -> bool {
        error.code() == Some(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER)
            && self
                .again
                .iter()
                .any(|failed| failed.partition == batch.partition)
    }

    fn outcome(
        &self,
        partition: i32,
        result: Option<&PartitionProduceResponse>,
    ) -> Result<(), ClientError> {
        let what = format!("{}-{partition}", self.topic);
        let Some(result) = result else {
            let message = Some("the answer leaves this partition out".to_owned());
            return Err(ClientError::Broker {
                what,
                code: ErrorCode::UNKNOWN_SERVER_ERROR,
                message,
            });
        };
        match result.error_code {
            // A duplicate is one that was already written: the first answer was lost.
            ErrorCode::NONE | ErrorCode::DUPLICATE_SEQUENCE_NUMBER => Ok(()),
            code => {
                let of_record = result
                    .record_errors
                    .iter()
                    .find_map(|e| e.batch_index_error_message.as_deref());
                let message = of_record
                    .or(result.error_message.as_deref())
                    .map(ToOwned::to_owned);
                Err(ClientError::Broker {
                    what,
                    code,
                    message,
                })
            }
        }
    }

    fn acknowledge(&mut self, batches: &[ClosedBatch]) {
        self.acknowledged_records += batches
            .iter()
            .map(|batch| u64::from(batch.records))
            .sum::<u64>();
    }

    fn request(&self, batches: &[ClosedBatch]) -> ProduceRequest {
        ProduceRequest {
            transactional_id: None,
            acks: self.acks,
            timeout_ms: self.timeout_ms,
            topic_data: vec![TopicProduceData {
                name: self.topic.as_str().into(),
                topic_id: self.topic_id,
                partition_data: batches
                    .iter()
                    .map(|batch| PartitionProduceData {
                        index: batch.partition,
                        records: Records::Bytes(batch.bytes.clone()),
                    })
                    .collect(),
            }],
        }
    }
}

fn find_result(answer: &ProduceResponse, partition: i32) -> Option<&PartitionProduceResponse> {
    answer
        .responses
        .iter()
        .flat_map(|topic| &topic.partition_responses)
        .find(|result| result.index == partition)
}
