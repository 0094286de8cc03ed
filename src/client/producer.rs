//! A producer for one topic: records into batches, batches to the leaders.
//!
//! Order: records of one partition arrive in the order of [`Producer::send`], unless a try failed half-way and the
//! producer is not idempotent. Nothing is sent by itself: a batch goes when it is full or on [`Producer::flush`].

use std::time::{SystemTime, UNIX_EPOCH};

use super::cluster::{Cluster, TopicInfo};
use super::error::ClientError;
use super::outbox::{ClosedBatch, Outbox};
use super::partitioner::{StickyPartition, partition_for_key};
use crate::wire::ErrorCode;
use crate::wire::messages::init_producer_id::InitProducerIdRequest;
use crate::wire::records::batch::advance_sequence;
use crate::wire::records::{BatchBuilder, Codec};

/// How records are batched and sent.
#[derive(Debug, Clone)]
pub struct ProducerOptions {
    /// 0, 1 or -1 (all).
    pub acks: i16,
    /// How batches are compressed.
    pub codec: Codec,
    /// A batch is closed when it has this many bytes before compression.
    pub batch_bytes: usize,
    /// Whether the broker is to drop second copies; needs acks -1.
    pub idempotent: bool,
    /// Whether a topic that is not there is to be created.
    pub create_topic: bool,
}

impl Default for ProducerOptions {
    fn default() -> ProducerOptions {
        ProducerOptions {
            acks: -1,
            codec: Codec::None,
            batch_bytes: 256 * 1024,
            idempotent: false,
            create_topic: true,
        }
    }
}

/// A record to send; copied into its batch.
#[derive(Debug, Clone, Copy, Default)]
pub struct OutgoingRecord<'a> {
    /// The partition, if not by key.
    pub partition: Option<i32>,
    /// `None` is null.
    pub key: Option<&'a [u8]>,
    /// `None` is null.
    pub value: Option<&'a [u8]>,
    /// Names and values, in order.
    pub headers: &'a [(&'a str, Option<&'a [u8]>)],
    /// Milliseconds since 1970.
    pub timestamp_ms: i64,
}

/// What makes an idempotent producer's batches recognizable.
#[derive(Debug, Clone, Copy)]
struct Identity {
    producer_id: i64,
    producer_epoch: i16,
}

/// A producer for one topic.
pub struct Producer {
    cluster: Cluster,
    topic: TopicInfo,
    options: ProducerOptions,
    identity: Option<Identity>,
    /// The open batch and the next sequence of each partition.
    partitions: Vec<OpenPartition>,
    sticky: StickyPartition,
    outbox: Outbox,
}

#[derive(Default)]
struct OpenPartition {
    batch: Option<BatchBuilder>,
    next_sequence: i32,
}

impl Producer {
    /// Finds the topic and, for an idempotent producer, gets an identity.
    ///
    /// # Errors
    /// When the topic cannot be used, or the broker gives no identity.
    pub fn open(
        mut cluster: Cluster,
        topic: &str,
        options: ProducerOptions,
    ) -> Result<Producer, ClientError> {
        let topic = cluster.topic(topic, options.create_topic)?;
        let identity = if options.idempotent {
            Some(init_producer_id(&mut cluster)?)
        } else {
            None
        };
        let timeout_ms = i32::try_from(cluster.patience().as_millis()).unwrap_or(i32::MAX);
        let outbox = Outbox::new(&topic.name, topic.id, options.acks, timeout_ms);
        let partitions = topic
            .partitions
            .iter()
            .map(|_| OpenPartition::default())
            .collect();
        let sticky = StickyPartition::new(arbitrary_number());
        Ok(Producer {
            cluster,
            topic,
            options,
            identity,
            partitions,
            sticky,
            outbox,
        })
    }

    /// How many records the cluster has acknowledged (with acks=0: were sent).
    pub fn acknowledged_records(&self) -> u64 {
        self.outbox.acknowledged_records()
    }

    /// Adds a record to the batch of its partition, and sends that if it is full.
    ///
    /// # Errors
    /// [`ClientError::NoSuchPartition`], or a failure of this or an earlier batch that no further try can mend.
    pub fn send(&mut self, record: &OutgoingRecord<'_>) -> Result<(), ClientError> {
        let count = self.partitions.len() as u32;
        let partition = match (record.partition, record.key) {
            (Some(partition), _) => u32::try_from(partition)
                .ok()
                .filter(|&index| index < count)
                .ok_or_else(|| ClientError::NoSuchPartition {
                    topic: self.topic.name.clone(),
                    partition,
                    count: count as usize,
                })?,
            (None, Some(key)) => partition_for_key(key, count),
            (None, None) => self.sticky.current(count),
        };
        let open = &mut self.partitions[partition as usize];
        let codec = self.options.codec;
        let batch = open.batch.get_or_insert_with(|| BatchBuilder::new(codec));
        batch.append(
            record.timestamp_ms,
            record.key,
            record.value,
            record.headers,
        );
        if batch.uncompressed_size() >= self.options.batch_bytes {
            let closed = self.close(partition);
            self.outbox
                .send(&mut self.cluster, closed.into_iter().collect())?;
        }
        Ok(())
    }

    /// Sends every open batch; does not wait for answers.
    ///
    /// # Errors
    /// As [`Producer::send`].
    pub fn flush(&mut self) -> Result<(), ClientError> {
        let closed: Vec<ClosedBatch> = (0..self.partitions.len() as u32)
            .filter_map(|partition| self.close(partition))
            .collect();
        self.outbox.send(&mut self.cluster, closed)
    }

    /// Sends every open batch and waits until all are acknowledged.
    ///
    /// # Errors
    /// As [`Producer::send`].
    pub fn finish(&mut self) -> Result<(), ClientError> {
        self.flush()?;
        self.outbox.finish(&mut self.cluster)
    }

    fn close(&mut self, partition: u32) -> Option<ClosedBatch> {
        let open = &mut self.partitions[partition as usize];
        let mut batch = open.batch.take()?;
        let records = batch.record_count() as u32;
        if let Some(identity) = self.identity {
            batch = batch.producer(
                identity.producer_id,
                identity.producer_epoch,
                open.next_sequence,
            );
            open.next_sequence = advance_sequence(open.next_sequence, records as i32);
        }
        self.sticky
            .batch_closed(partition, self.partitions.len() as u32);
        Some(ClosedBatch {
            partition: partition as i32,
            bytes: batch.build(),
            records,
        })
    }
}

fn init_producer_id(cluster: &mut Cluster) -> Result<Identity, ClientError> {
    let request = InitProducerIdRequest {
        transactional_id: None,
        ..InitProducerIdRequest::default()
    };
    cluster.patiently(|cluster| {
        let answer = cluster.any()?.call(&request)?;
        match answer.error_code {
            ErrorCode::NONE => Ok(Identity {
                producer_id: answer.producer_id,
                producer_epoch: answer.producer_epoch,
            }),
            code => Err(ClientError::Broker {
                what: "a producer id".to_owned(),
                code,
                message: None,
            }),
        }
    })
}

/// Different for producers that start at different times.
fn arbitrary_number() -> u32 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .subsec_micros()
}

#[cfg(test)]
mod tests;
