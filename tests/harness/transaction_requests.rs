//! Requests of the transaction APIs, in the words of the tests.

use bytes::Bytes;
use std::time::{Duration, Instant};
use vltava::wire::ErrorCode;
use vltava::wire::messages::add_offsets_to_txn::AddOffsetsToTxnRequest;
use vltava::wire::messages::add_partitions_to_txn::{
    AddPartitionsToTxnRequest, AddPartitionsToTxnTopic,
};
use vltava::wire::messages::describe_transactions::{
    DescribeTransactionsRequest, TransactionState,
};
use vltava::wire::messages::end_txn::{EndTxnRequest, EndTxnResponse};
use vltava::wire::messages::find_coordinator::FindCoordinatorRequest;
use vltava::wire::messages::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use vltava::wire::messages::produce::PartitionProduceResponse;
use vltava::wire::messages::txn_offset_commit::{
    TxnOffsetCommitRequest, TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use vltava::wire::records::{BatchBuilder, Codec};

use super::batches::{batch_with, values_of};
use super::requests::{
    ALL, data_of, fetch_partition, fetch_request, only_partition, produce_request,
};
use super::wire_client::{DEADLINE, WireClient};

/// The last version of EndTxn by the classic protocol.
pub const CLASSIC_END: i16 = 4;
/// The versions of `transaction.version` 2 that name topics by name.
pub const PRODUCE: i16 = 12;
pub const END: i16 = 5;

/// A transactional producer on a connection.
#[derive(Clone, Debug)]
pub struct Transactional {
    pub id: String,
    pub producer: (i64, i16),
    pub sequence: i32,
}

impl Transactional {
    /// Finds the coordinator and takes the transactional id, however long it takes to end what was open.
    pub fn begin(client: &mut WireClient, id: &str) -> Transactional {
        client.find_transaction_coordinator(id);
        let started = Instant::now();
        loop {
            let answer = client.init_transactional(5, id, None, 60_000);
            if answer.error_code == ErrorCode::NONE {
                return Transactional {
                    id: id.to_owned(),
                    producer: (answer.producer_id, answer.producer_epoch),
                    sequence: 0,
                };
            }
            assert!(is_busy(answer.error_code), "{answer:?}");
            assert!(started.elapsed() < DEADLINE, "{answer:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The next batch.
    pub fn batch(&mut self, values: &[&str]) -> Bytes {
        let batch = self.batch_at(self.sequence, values);
        self.sequence += i32::try_from(values.len()).expect("a small batch");
        batch
    }

    /// A batch with this sequence number.
    pub fn batch_at(&self, sequence: i32, values: &[&str]) -> Bytes {
        let builder = BatchBuilder::new(Codec::None)
            .producer(self.producer.0, self.producer.1, sequence)
            .transactional();
        batch_with(builder, values)
    }

    /// Produces by this version, and again while the transaction before is not complete.
    pub fn send(
        &mut self,
        client: &mut WireClient,
        version: i16,
        topic: &str,
        partition: i32,
        values: &[&str],
    ) -> PartitionProduceResponse {
        let batch = self.batch(values);
        self.send_batch(client, version, topic, partition, &batch)
    }

    /// Likewise, a batch that is made already.
    pub fn send_batch(
        &self,
        client: &mut WireClient,
        version: i16,
        topic: &str,
        partition: i32,
        batch: &Bytes,
    ) -> PartitionProduceResponse {
        let mut request = produce_request(topic, partition, ALL, batch);
        request.transactional_id = Some(self.id.as_str().into());
        again(|| {
            let mut response = client.call(version, &request);
            let answer = response.responses.remove(0).partition_responses.remove(0);
            (answer.error_code, answer)
        })
    }

    /// Adds partitions of a topic as producers of the classic protocol do.
    pub fn add(&self, client: &mut WireClient, topic: &str, partitions: &[i32]) -> Vec<ErrorCode> {
        let request = AddPartitionsToTxnRequest {
            v3_and_below_transactional_id: self.id.as_str().into(),
            v3_and_below_producer_id: self.producer.0,
            v3_and_below_producer_epoch: self.producer.1,
            v3_and_below_topics: vec![AddPartitionsToTxnTopic {
                name: topic.into(),
                partitions: partitions.to_vec(),
            }],
            ..AddPartitionsToTxnRequest::default()
        };
        again(|| {
            let answer = client.call(3, &request);
            let results = &answer.results_by_topic_v3_and_below[0].results_by_partition;
            let codes: Vec<_> = results.iter().map(|one| one.partition_error_code).collect();
            (codes[0], codes)
        })
    }

    /// Adds a group's offsets.
    pub fn add_offsets(&self, client: &mut WireClient, group: &str) -> ErrorCode {
        let request = AddOffsetsToTxnRequest {
            transactional_id: self.id.as_str().into(),
            producer_id: self.producer.0,
            producer_epoch: self.producer.1,
            group_id: group.into(),
        };
        again(|| {
            let code = client.call(4, &request).error_code;
            (code, code)
        })
    }

    /// Commits a position of a group of no members, by this version.
    pub fn commit_offset(
        &self,
        client: &mut WireClient,
        version: i16,
        group: &str,
        topic: &str,
        offset: i64,
    ) -> ErrorCode {
        let request = TxnOffsetCommitRequest {
            transactional_id: self.id.as_str().into(),
            group_id: group.into(),
            producer_id: self.producer.0,
            producer_epoch: self.producer.1,
            topics: vec![TxnOffsetCommitRequestTopic {
                name: topic.into(),
                partitions: vec![TxnOffsetCommitRequestPartition {
                    committed_offset: offset,
                    ..TxnOffsetCommitRequestPartition::default()
                }],
            }],
            ..TxnOffsetCommitRequest::default()
        };
        again(|| {
            let code = client.call(version, &request).topics[0].partitions[0].error_code;
            (code, code)
        })
    }

    /// Ends the transaction and takes the epoch that the answer brings.
    pub fn end(&mut self, client: &mut WireClient, version: i16, committed: bool) -> ErrorCode {
        let answer = self.try_end(client, version, committed);
        if answer.error_code == ErrorCode::NONE && version >= END {
            self.producer = (answer.producer_id, answer.producer_epoch);
            self.sequence = 0;
        }
        answer.error_code
    }

    /// One request, nothing taken.
    pub fn try_end(
        &self,
        client: &mut WireClient,
        version: i16,
        committed: bool,
    ) -> EndTxnResponse {
        let request = EndTxnRequest {
            transactional_id: self.id.as_str().into(),
            producer_id: self.producer.0,
            producer_epoch: self.producer.1,
            committed,
        };
        client.call(version, &request)
    }
}

/// What passes by itself.
fn is_busy(code: ErrorCode) -> bool {
    [
        ErrorCode::CONCURRENT_TRANSACTIONS,
        ErrorCode::COORDINATOR_LOAD_IN_PROGRESS,
        ErrorCode::NOT_ENOUGH_REPLICAS,
        ErrorCode::COORDINATOR_NOT_AVAILABLE,
    ]
    .contains(&code)
}

/// As clients do: again while it may pass by itself.
fn again<T>(mut ask: impl FnMut() -> (ErrorCode, T)) -> T {
    let started = Instant::now();
    loop {
        let (code, answer) = ask();
        if !is_busy(code) || started.elapsed() > DEADLINE {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl WireClient {
    /// The broker coordinates this transactional id.
    pub fn find_transaction_coordinator(&mut self, id: &str) {
        let request = FindCoordinatorRequest {
            key_type: 1,
            coordinator_keys: vec![id.into()],
            ..FindCoordinatorRequest::default()
        };
        let answer = self.call(4, &request);
        let found = &answer.coordinators[0];
        assert_eq!(found.error_code, ErrorCode::NONE, "{found:?}");
    }

    /// One InitProducerId with a transactional id.
    pub fn init_transactional(
        &mut self,
        version: i16,
        id: &str,
        before: Option<(i64, i16)>,
        timeout_ms: i32,
    ) -> InitProducerIdResponse {
        let (producer_id, producer_epoch) = before.unwrap_or((-1, -1));
        let request = InitProducerIdRequest {
            transactional_id: Some(id.into()),
            transaction_timeout_ms: timeout_ms,
            producer_id,
            producer_epoch,
        };
        self.call(version, &request)
    }

    /// What DescribeTransactions says of an id.
    pub fn describe_transaction(&mut self, id: &str) -> TransactionState {
        let request = DescribeTransactionsRequest {
            transactional_ids: vec![id.into()],
        };
        self.call(0, &request).transaction_states.remove(0)
    }

    /// The values that a reader of committed records finds in a partition, markers left out; and the last stable offset.
    pub fn read_committed(&mut self, topic: &str, partition: i32) -> (Vec<String>, i64) {
        let mut request = fetch_request(topic, vec![fetch_partition(partition, 0)]);
        request.isolation_level = 1;
        let found = only_partition(self.call(12, &request));
        let mut aborted: Vec<_> = found.aborted_transactions.clone().unwrap_or_default();
        aborted.sort_by_key(|one| one.first_offset);
        let mut values = Vec::new();
        let mut skipped = std::collections::BTreeSet::new();
        for batch in vltava::wire::records::batches(data_of(&found)) {
            let batch = batch.expect("a batch");
            let header = batch.header();
            let producer = header.producer_id();
            let begun = aborted
                .iter()
                .filter(|one| one.first_offset <= header.last_offset().0);
            skipped.extend(begun.map(|one| (one.producer_id, one.first_offset)));
            if header.attributes().is_control() {
                skipped.retain(|&(of, _)| of != producer);
                aborted.retain(|one| {
                    one.producer_id != producer || one.first_offset > header.last_offset().0
                });
                continue;
            }
            let is_aborted = skipped.iter().any(|&(of, _)| of == producer);
            if !(header.attributes().is_transactional() && is_aborted) {
                values.extend(values_of(&batch.bytes().clone()));
            }
        }
        (values, found.last_stable_offset)
    }
}
