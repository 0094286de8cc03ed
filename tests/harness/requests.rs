//! The requests that most tests make, in the newest version that names topics by name, on a [`WireClient`].

use bytes::Bytes;
use uuid::Uuid;
use vltava::wire::messages::create_topics::{
    CreatableTopic, CreatableTopicConfig, CreatableTopicResult, CreateTopicsRequest,
};
use vltava::wire::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use vltava::wire::messages::fetch::{
    FetchPartition, FetchRequest, FetchResponse, FetchTopic, PartitionData,
};
use vltava::wire::messages::init_producer_id::InitProducerIdRequest;
use vltava::wire::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsTopic,
};
use vltava::wire::messages::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, TopicProduceData,
};
use vltava::wire::records::{BatchBuilder, Codec};
use vltava::wire::{ErrorCode, Records};

use super::batches;
use super::wire_client::WireClient;

/// Newest versions that name topics by name.
pub const PRODUCE: i16 = 12;
/// The last version of the classic transaction protocol.
pub const CLASSIC_PRODUCE: i16 = 11;
pub const FETCH: i16 = 12;
pub const CREATE_TOPICS: i16 = 7;
pub const DELETE_TOPICS: i16 = 6;
pub const LIST_OFFSETS: i16 = 11;

/// All replicas; the broker is alone.
pub const ALL: i16 = -1;

/// The bit of a batch's attributes.
const TRANSACTIONAL: u8 = 1 << 4;

/// Larger than anything the tests write.
pub const PLENTY_BYTES: i32 = 50 << 20;

/// A topic to create, its numbers given.
pub fn new_topic(name: &str, partitions: i32, configs: &[(&str, &str)]) -> CreatableTopic {
    let config = |(name, value): &(&str, &str)| CreatableTopicConfig {
        name: (*name).into(),
        value: Some((*value).into()),
    };
    CreatableTopic {
        name: name.into(),
        num_partitions: partitions,
        replication_factor: 1,
        configs: configs.iter().map(config).collect(),
        ..CreatableTopic::default()
    }
}

/// A produce request for one partition.
pub fn produce_request(topic: &str, partition: i32, acks: i16, batch: &Bytes) -> ProduceRequest {
    ProduceRequest {
        acks,
        timeout_ms: 10_000,
        topic_data: vec![TopicProduceData {
            name: topic.into(),
            partition_data: vec![PartitionProduceData {
                index: partition,
                records: Records::Bytes(batch.clone()),
            }],
            ..TopicProduceData::default()
        }],
        ..ProduceRequest::default()
    }
}

/// One partition to fetch from an offset.
pub fn fetch_partition(partition: i32, offset: i64) -> FetchPartition {
    FetchPartition {
        partition,
        fetch_offset: offset,
        partition_max_bytes: PLENTY_BYTES,
        ..FetchPartition::default()
    }
}

/// A fetch that is answered at once, without a session.
pub fn fetch_request(topic: &str, partitions: Vec<FetchPartition>) -> FetchRequest {
    FetchRequest {
        max_wait_ms: 0,
        min_bytes: 1,
        max_bytes: PLENTY_BYTES,
        topics: vec![FetchTopic {
            topic: topic.into(),
            partitions,
            ..FetchTopic::default()
        }],
        ..FetchRequest::default()
    }
}

/// The answer for the only partition of a fetch.
pub fn only_partition(response: FetchResponse) -> PartitionData {
    assert_eq!(response.error_code, ErrorCode::NONE);
    let mut partitions: Vec<_> = response
        .responses
        .into_iter()
        .flat_map(|topic| topic.partitions)
        .collect();
    assert_eq!(partitions.len(), 1, "{partitions:?}");
    partitions.remove(0)
}

/// The record data of a partition.
pub fn data_of(partition: &PartitionData) -> Bytes {
    match &partition.records {
        Records::Bytes(bytes) => bytes.clone(),
        Records::Null => Bytes::new(),
        Records::External { .. } => unreachable!("decoding never gives this"),
    }
}

impl WireClient {
    /// Creates a topic and returns its id.
    pub fn create_topic(&mut self, name: &str, partitions: i32) -> Uuid {
        self.create_topic_with(name, partitions, &[])
    }

    /// Creates a topic with settings of its own and returns its id.
    pub fn create_topic_with(
        &mut self,
        name: &str,
        partitions: i32,
        configs: &[(&str, &str)],
    ) -> Uuid {
        let result = self.try_create(new_topic(name, partitions, configs));
        assert_eq!(result.error_code, ErrorCode::NONE, "{result:?}");
        result.topic_id
    }

    /// Asks for a topic.
    pub fn try_create(&mut self, topic: CreatableTopic) -> CreatableTopicResult {
        let request = CreateTopicsRequest {
            topics: vec![topic],
            ..CreateTopicsRequest::default()
        };
        let mut response = self.call(CREATE_TOPICS, &request);
        assert_eq!(response.topics.len(), 1);
        response.topics.remove(0)
    }

    /// Deletes a topic by name.
    pub fn delete_topic(&mut self, name: &str) -> ErrorCode {
        let request = DeleteTopicsRequest {
            topics: vec![DeleteTopicState {
                name: Some(name.into()),
                ..DeleteTopicState::default()
            }],
            timeout_ms: 10_000,
            ..DeleteTopicsRequest::default()
        };
        self.call(DELETE_TOPICS, &request).responses[0].error_code
    }

    /// Produces a batch with acks=all and returns what became of it. One of a transaction goes by the classic protocol, under some
    /// transactional id: where partitions are not verified nobody asks its coordinator.
    pub fn produce(
        &mut self,
        topic: &str,
        partition: i32,
        batch: &Bytes,
    ) -> PartitionProduceResponse {
        let attributes = batch.get(batches::ATTRIBUTES_AT + 1).copied().unwrap_or(0);
        if attributes & TRANSACTIONAL == 0 {
            return self.produce_at(PRODUCE, topic, partition, ALL, batch);
        }
        let mut request = produce_request(topic, partition, ALL, batch);
        request.transactional_id = Some("any".into());
        let mut response = self.call(CLASSIC_PRODUCE, &request);
        response.responses.remove(0).partition_responses.remove(0)
    }

    /// Produces in any version that names topics by name.
    pub fn produce_at(
        &mut self,
        version: i16,
        topic: &str,
        partition: i32,
        acks: i16,
        batch: &Bytes,
    ) -> PartitionProduceResponse {
        let request = produce_request(topic, partition, acks, batch);
        let mut response = self.call(version, &request);
        response.responses.remove(0).partition_responses.remove(0)
    }

    /// Produces records that must be accepted; returns the offset of the first.
    pub fn write(&mut self, topic: &str, partition: i32, values: &[&str]) -> i64 {
        self.write_batch(topic, partition, &batches::batch(values))
    }

    /// Produces a batch that must be accepted; returns its offset.
    pub fn write_batch(&mut self, topic: &str, partition: i32, batch: &Bytes) -> i64 {
        let answer = self.produce(topic, partition, batch);
        assert_eq!(answer.error_code, ErrorCode::NONE, "{answer:?}");
        answer.base_offset
    }

    /// Fetches a partition at once.
    pub fn fetch(&mut self, topic: &str, partition: i32, offset: i64) -> PartitionData {
        let request = fetch_request(topic, vec![fetch_partition(partition, offset)]);
        only_partition(self.call(FETCH, &request))
    }

    /// Every record of a partition, by offset and value.
    pub fn read_all(&mut self, topic: &str, partition: i32) -> Vec<(i64, String)> {
        let mut read: Vec<(i64, String)> = Vec::new();
        loop {
            let next = read.last().map_or(0, |(offset, _)| offset + 1);
            let answer = self.fetch(topic, partition, next);
            assert_eq!(answer.error_code, ErrorCode::NONE, "{answer:?}");
            let found = batches::records_of(&data_of(&answer));
            let found: Vec<_> = found
                .into_iter()
                .filter(|(offset, _)| *offset >= next)
                .collect();
            if found.is_empty() {
                assert_eq!(next, answer.high_watermark, "the end is not reached");
                return read;
            }
            read.extend(found);
        }
    }

    /// Looks an offset up.
    pub fn list_offset(
        &mut self,
        version: i16,
        topic: &str,
        partition: i32,
        timestamp: i64,
    ) -> ListOffsetsPartitionResponse {
        let request = ListOffsetsRequest {
            topics: vec![ListOffsetsTopic {
                name: topic.into(),
                partitions: vec![ListOffsetsPartition {
                    partition_index: partition,
                    timestamp,
                    ..ListOffsetsPartition::default()
                }],
            }],
            ..ListOffsetsRequest::default()
        };
        self.call(version, &request).topics[0].partitions[0].clone()
    }

    /// A new idempotent producer: its id and epoch.
    pub fn new_producer(&mut self) -> (i64, i16) {
        let request = InitProducerIdRequest {
            transaction_timeout_ms: 60_000,
            ..InitProducerIdRequest::default()
        };
        let answer = self.call(4, &request);
        assert_eq!(answer.error_code, ErrorCode::NONE, "{answer:?}");
        (answer.producer_id, answer.producer_epoch)
    }
}

/// A batch of an idempotent producer.
pub fn sequenced(producer: (i64, i16), base_sequence: i32, values: &[&str]) -> Bytes {
    let builder = BatchBuilder::new(Codec::None).producer(producer.0, producer.1, base_sequence);
    batches::batch_with(builder, values)
}
