//! The writers: each has some partitions, of which it writes, shortens and commits one after another.

use std::sync::atomic::{AtomicBool, Ordering};

use vltava::wire::ErrorCode;
use vltava::wire::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use vltava::wire::messages::init_producer_id::InitProducerIdRequest;
use vltava::wire::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use vltava::wire::records::BatchBuilder;

use super::book::{Acknowledged, Book};
use super::connection::Connection;
use super::dice::Dice;
use crate::harness::group_requests::COMMIT;
use crate::harness::record::now_ms;
use crate::harness::requests::{PRODUCE, produce_request};

/// Writes to the partitions of these books until told to stop. The broker must run in the end.
pub fn write(books: &mut [Book], port: u16, seed: u64, stop: &AtomicBool) {
    let mut connection = Connection::to(port);
    let mut dice = Dice::new(seed);
    while !stop.load(Ordering::SeqCst) {
        let book = &mut books[dice.below(books.len() as u64) as usize];
        match dice.below(100) {
            0 => delete_records(&mut connection, book, &mut dice),
            1..10 => commit(&mut connection, book),
            _ => write_batch(&mut connection, book, &mut dice),
        }
    }
}

/// Sends the next records. An idempotent producer sends them until they are acknowledged; another one goes on, whatever
/// became of them.
fn write_batch(connection: &mut Connection, book: &mut Book, dice: &mut Dice) {
    let topic = book.topic();
    let codec = topic.codecs[dice.below(2) as usize];
    let mut builder = BatchBuilder::new(codec);
    if topic.idempotent {
        let (id, epoch) = *book
            .producer
            .get_or_insert_with(|| new_producer(connection));
        let sequence = i32::try_from(book.next % (1 << 31)).expect("31 bits");
        builder = builder.producer(id, epoch, sequence);
    }
    let count = 1 + dice.below(20);
    for number in book.next..book.next + count {
        let value = book.value(number, dice);
        builder.append(now_ms(), Some(&number.to_be_bytes()), Some(&value), &[]);
    }
    let request = produce_request(topic.name, book.partition, topic.acks, &builder.build());
    let first = book.next;
    book.next += count;
    let answer = loop {
        match connection.ask(PRODUCE, &request) {
            Some(answer) => break answer,
            None if topic.idempotent => {}
            None => return,
        }
    };
    let answer = &answer.responses[0].partition_responses[0];
    assert_eq!(
        answer.error_code,
        ErrorCode::NONE,
        "{}-{} record {first}: {answer:?}",
        topic.name,
        book.partition
    );
    book.acknowledged.push(Acknowledged {
        base_offset: answer.base_offset,
        first,
        count,
    });
}

fn new_producer(connection: &mut Connection) -> (i64, i16) {
    let request = InitProducerIdRequest {
        transaction_timeout_ms: 60_000,
        ..InitProducerIdRequest::default()
    };
    loop {
        if let Some(answer) = connection.ask(4, &request) {
            assert_eq!(answer.error_code, ErrorCode::NONE, "{answer:?}");
            return (answer.producer_id, answer.producer_epoch);
        }
    }
}

/// Removes what lies before one of the later acknowledged batches.
fn delete_records(connection: &mut Connection, book: &mut Book, dice: &mut Dice) {
    if book.acknowledged.is_empty() {
        return;
    }
    let among = book.acknowledged.len() as u64;
    let offset = book.acknowledged[dice.below(among) as usize].base_offset;
    if offset <= book.log_start_most {
        return;
    }
    book.log_start_most = offset;
    let request = DeleteRecordsRequest {
        topics: vec![DeleteRecordsTopic {
            name: book.topic().name.into(),
            partitions: vec![DeleteRecordsPartition {
                partition_index: book.partition,
                offset,
            }],
        }],
        timeout_ms: 10_000,
    };
    if let Some(answer) = connection.ask(2, &request) {
        let answer = &answer.topics[0].partitions[0];
        assert_eq!(answer.error_code, ErrorCode::NONE, "{answer:?}");
        assert!(answer.low_watermark >= offset, "{answer:?}");
        book.log_start_least = offset;
    }
}

/// Commits the end of what was acknowledged.
fn commit(connection: &mut Connection, book: &mut Book) {
    let Some(last) = book.acknowledged.last() else {
        return;
    };
    let offset = last.base_offset + last.count as i64;
    book.committed_most = offset;
    let request = OffsetCommitRequest {
        group_id: book.group().as_str().into(),
        topics: vec![OffsetCommitRequestTopic {
            name: book.topic().name.into(),
            partitions: vec![OffsetCommitRequestPartition {
                partition_index: book.partition,
                committed_offset: offset,
                ..OffsetCommitRequestPartition::default()
            }],
            ..OffsetCommitRequestTopic::default()
        }],
        ..OffsetCommitRequest::default()
    };
    let Some(answer) = connection.ask(COMMIT, &request) else {
        return;
    };
    match answer.topics[0].partitions[0].error_code {
        ErrorCode::NONE => book.committed_least = offset,
        // The coordinator is still reading its log.
        ErrorCode::COORDINATOR_LOAD_IN_PROGRESS
        | ErrorCode::COORDINATOR_NOT_AVAILABLE
        | ErrorCode::NOT_COORDINATOR => {}
        refused => panic!("a commit: {refused:?}"),
    }
}
